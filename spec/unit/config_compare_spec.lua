local config = require("unit").config
local directory = require("spec.support.directory")

local CONFIG = [[
return {
  cluster = { brokers = "localhost:9092" },
  topics = { orders = { partitions = 2 }, ["orders.eu"] = {} },
  producers = { p = { topic = "orders", headers = { source = "a" } } },
  consumers = {
    c = { topic = "orders", group = "c", workers = 2, handlers = { A = "handlers.a" } },
    ["c.more"] = { topic = "orders.eu", group = "m", handler = "handlers.a" },
  },
}
]]

describe("config_compare", function()
  local folder = directory.new()

  local function compare(after, before)
    directory.write(folder .. "/before.lua", before or CONFIG)
    directory.write(folder .. "/after.lua", after)
    return config.compare(folder .. "/before.lua", folder .. "/after.lua")
  end

  ---With `new` in place of `old`.
  local function change(old, new)
    local first, last = CONFIG:find(old, 1, true)
    local difference, _, changed =
      compare(CONFIG:sub(1, first - 1) .. new .. CONFIG:sub(last + 1))
    local back = compare(CONFIG, CONFIG:sub(1, first - 1) .. new .. CONFIG:sub(last + 1))
    for reach, paths in pairs(difference) do
      assert.equal(#paths, #back[reach])
    end
    return difference, changed
  end

  it("finds nothing between two texts that say the same", function()
    local difference, is_same_text = compare("-- a remark\n" .. CONFIG)
    assert.same({ live = {}, consumer = {}, restart = {} }, difference)
    assert.is_false(is_same_text)
    assert.is_true(select(2, compare(CONFIG)))
  end)

  it("names what a running process takes up", function()
    local live = {
      ['A = "handlers.a"'] = { 'A = "handlers.b"', "consumers.c.handlers.A" },
      ['handler = "handlers.a"'] = { 'handler = "handlers.a", nulls = "keep"',
        "consumers.c.more.nulls" },
      ['source = "a"'] = { 'source = "b"', "producers.p.headers.source" },
      ['group = "c"'] = { 'group = "c", window = { records = 7 }', "consumers.c.window.records" },
      ['group = "m"'] = { 'group = "m", on_error = { retries = 3 }',
        "consumers.c.more.on_error.retries" },
      ['topic = "orders", headers'] = { 'topic = "orders.eu", headers', "producers.p.topic" },
      ["topics ="] = { 'log = { level = "debug" },\n  topics =', "log.level" },
      ["producers ="] = { 'lua = { memory_limit = "64MiB" },\n  producers =', "lua.memory_limit" },
    }
    for old, new in pairs(live) do
      assert.same({ live = { new[2] }, consumer = {}, restart = {} }, (change(old, new[1])), old)
    end
  end)

  it("names what a consumer takes up by joining its group anew", function()
    local anew = {
      ["workers = 2"] = { 'workers = 2, distribution = "free_worker"',
        "consumers.c.distribution", "distribution" },
      ['group = "m"'] = { 'group = "n"', "consumers.c.more.group", "group" },
    }
    for old, new in pairs(anew) do
      local difference, changed = change(old, new[1])
      assert.same({ live = {}, consumer = { new[2] }, restart = {} }, difference, old)
      local name = new[2]:match("^consumers%.(.*)%.%w+$")
      assert.same({ [name] = new[3] }, changed)
    end
  end)

  it("knows a consumer by the cluster that it comes to", function()
    local more = CONFIG:gsub("topics =", 'clusters = { other = { brokers = "h:1" } },\n  %0')
    local _, _, changed = compare(more)
    assert.same({}, changed)
    _, _, changed = compare((more:gsub("orders = {", '%0 cluster = "other",')), more)
    assert.same({ c = "cluster" }, changed)
  end)

  it("knows a pattern by what it must not match", function()
    local pattern = CONFIG:gsub('topic = "orders", group = "c"', 'topic = "^orders", group = "c"')
    local _, _, changed = compare((pattern:gsub('group = "m"', '%0, dead_letter = "orders-bad"')),
      pattern)
    assert.same({ c = "what its pattern must not match" }, changed)
  end)

  it("names what takes another start", function()
    local restart = {
      ["localhost:9092"] = { "localhost:9093", "cluster.brokers" },
      ["producers ="] = { 'log = { format = "json" },\n  producers =', "log.format" },
    }
    for old, new in pairs(restart) do
      local difference = change(old, table.remove(new, 1))
      assert.same({ live = {}, consumer = {}, restart = new }, difference, old)
    end
  end)

  it("names a whole table that is new or removed once", function()
    local added = 'producers = { q = { topic = "orders" }, '
    assert.same({ live = { "producers.q (new)" }, consumer = {}, restart = {} },
      (change("producers = { ", added)))
    assert.same({ live = { "topics.orders.eu (removed)" }, consumer = {}, restart = {} },
      (change(', ["orders.eu"] = {}', "")))
  end)

  it("tells a secret's change without its value", function()
    local with = CONFIG:gsub("localhost:9092\"", "%0, tls = true, sasl = "
      .. "{ mechanism = \"PLAIN\", username = \"u\", password = \"@\" }")
    local difference = compare((with:gsub("@", "second-secret")), (with:gsub("@", "first-secret")))
    assert.same({ live = {}, consumer = {}, restart = { "cluster.sasl.password" } }, difference)
  end)
end)

-- A Lua state in which a handler was ended in the middle of something is replaced by a fresh one,
-- and nobody loses anything by that.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local sanitizer = require("spec.support.sanitizer")
local wait = require("spec.support.wait")

-- The module's count says how many handlers the state has begun.
local HANDLER = [[
local gate = require("gate")
local journal = require("journal")
local lagoon = require("lagoon")

local count = 0
local M = {}

local function flood()
  local t = {}
  for i = 1, math.huge do t[i] = {} end
end

local does = {
  nothing = function() end,
  memory = flood,
  ["memory in pcall"] = function() pcall(flood) end,
  ["memory in a coroutine"] = function() coroutine.resume(coroutine.create(flood)) end,
  ["long text"] = function() return ("x"):rep(2 ^ 30) end,
  loop = function() while true do end end,
  sleep = function() lagoon.sleep("1h") end,
  wait = function(event) gate.wait(event.gate) end,
}

function M.on_load()
  if gate.is_open("no database") then
    error("there is no database")
  end
end

function M.handle(event, context)
  count = count + 1
  journal.record(context, { what = "begin", count = count })
  does[event.does](event)
  journal.record(context, { what = "end", count = count })
end

return M
]]

local REPLACED = "^consumer %s: worker %%d+ goes on in a new Lua state, because %s"
local MEMORY = "the old one ran out of memory %(lua.memory_limit%)$"
local CPU = "in the old one a handler was ended where it ran %(cpu_limit%)$"

describe("a Lua state that is spoilt", function()
  local broker, app, lagoon
  local topics = {}

  local NAMES = { "anew", "kept", "full", "unmade", "often", "order" }

  local function consumer(name)
    return { topic = topics[name], group = topics[name], workers = name == "order" and 3 or 1,
      buffer_size = 10, distribution = "key", on_error = { retries = 0, give_up = "skip" },
      cpu_limit = name == "often" and "200ms" or "20s",
      handler_timeout = name == "kept" and "1s" or "1m",
      handlers = { Event = "handlers.spoils" } }
  end

  setup(function()
    broker = brokers.start()
    local consumers = {}
    for _, name in ipairs(NAMES) do
      topics[name] = broker:new_topic(name, 1)
      consumers[name] = consumer(name)
    end
    app = application.new(broker.brokers, { lua = { memory_limit = "8MiB" },
      consumers = consumers }, { ["handlers/spoils"] = HANDLER })
    lagoon = app:start({ "run" })
    for _, name in ipairs(NAMES) do
      lagoon:wait_assigned(name)
    end
  end)

  teardown(function()
    assert.equal(0, lagoon:stop())
  end)

  local made = 0

  -- Returns the record's key, unless one is given, by which the journal tells it from others.
  local function produce(name, does, fields)
    fields = fields or {}
    made = made + 1
    local key = fields.key or ("key %d"):format(made)
    broker:produce(topics[name], { { key = key, value = json.encode({ does = does,
      gate = fields.gate }) } }, { partition = 0, headers = { { "Message-Type", "Event" } } })
    return key
  end

  -- How many handlers its state had begun when the record's began, or ended.
  local function wait_count(name, key, what)
    return app:wait_journal(1, { topic = topics[name], key = key, what = what })[1].count
  end

  local function wait_replaced(name, reason, count)
    return wait.till(("%d replacements"):format(count), 20000, function()
      local lines = lagoon:log(REPLACED:format(name, reason))
      return #lines >= count and lines, #lines .. " came"
    end)
  end

  local function status_of(name)
    local run = app:run({ "status", "--json" })
    for _, found in ipairs(json.decode(run.process:stdout()).consumers) do
      if found.name == name then
        return found
      end
    end
  end

  it("takes no record any more, and finishes what waits in it", function()
    local kinds = { "memory", "memory in pcall", "memory in a coroutine", "long text" }
    for i, does in ipairs(kinds) do
      local neighbour = produce("anew", "wait", { gate = "anew " .. i })
      assert.equal(1, wait_count("anew", neighbour, "begin"))
      assert.equal(2, wait_count("anew", produce("anew", does), "begin"))
      wait_replaced("anew", MEMORY, i)
      app:open_gate("anew " .. i)
      assert.equal(2, wait_count("anew", neighbour, "end"))
    end
    assert.equal(1, wait_count("anew", produce("anew", "nothing"), "end"))
    local workers = status_of("anew").workers
    assert.same({ #kinds, 1 }, { workers.states_replaced, workers.last_replaced.worker })
    assert.matches(MEMORY, workers.last_replaced.reason)
    assert.matches("\n  Lua states replaced: 4, the last of worker 1, because\n" ..
      "    the old one ran out of memory",
      app:run({ "status" }).process:stdout(), 1, true)
  end)

  it("is not one in which a handler was late where it waited", function()
    assert.equal(1, wait_count("kept", produce("kept", "sleep"), "begin"))
    lagoon:wait_log("^consumer kept: a record is skipped")
    assert.equal(2, wait_count("kept", produce("kept", "nothing"), "end"))
    assert.equal(0, status_of("kept").workers.states_replaced)
  end)

  it("lets its worker take nothing while that has as many as it may have", function()
    for i = 1, 2 do
      wait_count("full", produce("full", "wait", { gate = "full " .. i }), "begin")
      produce("full", "memory")
      wait_replaced("full", MEMORY, i)
    end
    produce("full", "memory")
    lagoon:wait_log("^consumer full: worker 1 takes no record: its Lua state ran out of memory, " ..
      "and it has 3 of them, ")
    local key = produce("full", "nothing")
    wait.till("the record in the window", 10000, function()
      return status_of("full").partitions[1].unsettled == 3
    end)
    assert.same({}, app:journal({ topic = topics.full, key = key }))
    app:open_gate("full 2")
    assert.equal(1, wait_count("full", key, "end"))
    app:open_gate("full 1")
    app:wait_journal(3, { topic = topics.full, what = "end" })
  end)

  it("goes on as it is while no other can be made, and then is replaced", function()
    app:open_gate("no database")
    produce("unmade", "memory")
    lagoon:wait_log("^consumer unmade: worker 1 needs a new Lua state, because the old one ran " ..
      "out of memory %(lua.memory_limit%), but none can be made; it goes on with the old one, " ..
      "tries again in 1 s: .*there is no database", { level = "error" })
    assert.equal(2, wait_count("unmade", produce("unmade", "nothing"), "end"))
    app:close_gate("no database")
    wait_replaced("unmade", MEMORY, 1)
    assert.equal(1, wait_count("unmade", produce("unmade", "nothing"), "end"))
  end)

  it("keeps the order of each key, and all records", function()
    for n = 1, 100 do
      produce("order", n % 25 == 0 and "memory" or "nothing", { key = ("key %d"):format(n % 5) })
    end
    app:wait_journal(96, { topic = topics.order, what = "end" })
    wait_replaced("order", MEMORY, 1)
    local last = {}
    for _, entry in ipairs(app:journal({ topic = topics.order, what = "begin" })) do
      assert.is_true((last[entry.key] or -1) < entry.offset)
      last[entry.key] = entry.offset
    end
    wait.till("all committed", 10000, function()
      return broker:committed(topics.order, topics.order, 1)[0] == 100
    end)
  end)

  it("is replaced at most once a second when handlers run into a limit of time", function()
    if sanitizer.holds_signals then
      return pending("ThreadSanitizer holds back the signal that ends a loop")
    end
    for _ = 1, 8 do
      produce("often", "loop")
    end
    wait_count("often", produce("often", "nothing"), "end")
    assert.equal(8, #lagoon:log("^consumer often: a record is skipped"))
    local last
    for _, line in ipairs(wait_replaced("often", CPU, 2)) do
      local minute, seconds = line.time:match(":(%d+):([%d.]+)Z$")
      local at = (minute * 60 + seconds) * 1000
      assert.is_true(not last or (at - last) % 3600000 >= 999)
      last = at
    end
  end)
end)

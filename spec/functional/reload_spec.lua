-- Scripts and config change while records flow.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

-- A version of a handler: it says in its own words which it is, to be held against the number that
-- the runtime has for it.
local function version(name)
  return ([[
local gate = require("gate")
local journal = require("journal")
local version = require("version")

return function(event, context)
  local what = { n = event.n, text = %q, needed = version, generation = context.generation }
  if event.gate then
    journal.record(context, { begins = event.gate, text = %q })
    gate[event.how](event.gate)
  end
  journal.record(context, what)
end
]]):format(name, name)
end

local BROKEN = {
  { text = "return function(", reason = "handler.lua:1: .*<eof>" },
  { text = "error('no luck')", reason = "handler.lua:1: no luck" },
  { text = "", reason = "handlers.handler" },
  { text = "\nrequire('nowhere')", reason = "handler.lua:2: module 'nowhere' not found" },
}

-- One process for all of them: a reload is everybody's.
describe("a reload", function()
  local broker, app, lagoon, config
  local topics, last_n, number = {}, 0, 1

  setup(function()
    broker = brokers.start()
    local function consumer(name, fields)
      topics[name] = broker:new_topic(name, 4)
      fields.topic, fields.group = topics[name], topics[name]
      fields.handlers = { Event = "handlers.handler" }
      return fields
    end
    app = application.new(broker.brokers, {
      consumers = {
        keys = consumer("keys", { workers = { min = 2, max = 6, lag_threshold = 20 } }),
        one = consumer("one", { workers = 1, distribution = "free_worker" }),
        two = consumer("two", { workers = 2, distribution = "free_worker", buffer_size = 1 }),
      },
    }, { ["handlers/handler"] = version("first"), ["version"] = 'return "first"' })
    config = app:config()
    lagoon = app:start({ "run" })
    for name in pairs(topics) do
      lagoon:wait_assigned(name)
    end
  end)

  ---A pair of files of which no handler may see a mix.
  local function write(name)
    app:script("version", ("return %q"):format(name))
    app:script("handlers/handler", version(name))
  end

  local function produce(name, records)
    broker:produce(topics[name], records,
      { partition = 0, headers = { { "Message-Type", "Event" } } })
  end

  ---@return integer # the record's n
  local function send(name, gate, how)
    last_n = last_n + 1
    local event = gate and ('{"n":%d,"gate":"%s","how":"%s"}'):format(last_n, gate, how)
    produce(name, { { value = event or ('{"n":%d}'):format(last_n) } })
    if gate then
      app:wait_journal(1, { begins = gate })
    end
    return last_n
  end

  local function await(n)
    return app:wait_journal(1, { n = n })[1]
  end

  local function see(name)
    return await(send(name))
  end

  local function await_reload()
    number = number + 1
    return lagoon:wait_log(("^reloaded, generation %d runs"):format(number))
  end

  local function reload(name)
    write(name)
    lagoon.process:signal("sighup")
    await_reload()
  end

  local function be_refused(reason)
    local pattern = ("^reload refused, still running generation %d: .*%s"):format(number, reason)
    lagoon.process:signal("sighup")
    return lagoon:wait_log(pattern)
  end

  it("keeps each key's order and never goes back, also where some are refused", function()
    local KEYS, ROUNDS, EACH = 7, 20, 35
    local first = number
    for round = 1, ROUNDS do
      local records = {}
      for i = 1, EACH do
        last_n = last_n + 1
        records[i] = { key = "key-" .. last_n % KEYS, value = ('{"n":%d}'):format(last_n) }
      end
      produce("keys", records)
      -- The reload comes while the others of this round are under way.
      await(last_n - EACH + 1)
      local broken = round % 4 == 0 and BROKEN[round // 4 % #BROKEN + 1]
      if broken then
        app:script("handlers/handler", broken.text)
        be_refused(broken.reason)
      else
        reload("round " .. round)
      end
    end
    local entries = app:wait_journal(ROUNDS * EACH, { topic = topics.keys })
    assert.equal(ROUNDS * EACH, #entries)
    local last, texts, count = {}, {}, 0
    for _, entry in ipairs(entries) do
      local before = last[entry.key] or { n = 0, generation = first }
      assert.is_true(entry.n > before.n, "order of " .. entry.key)
      assert.is_true(entry.generation >= before.generation, "generation of " .. entry.key)
      assert.equal(entry.text, entry.needed)
      count = count + (texts[entry.generation] and 0 or 1)
      texts[entry.generation] = texts[entry.generation] or entry.text
      assert.equal(texts[entry.generation], entry.text)
      last[entry.key] = entry
    end
    assert.is_true(count > 3, "generations that had records: " .. count)
    assert.equal(number, see("keys").generation)
    assert.equal(1, #lagoon:log("^consumer keys: assigned"))
  end)

  it("lets a handler that waits end in the generation in which it began", function()
    reload("before")
    local older = send("one", "older", "wait")
    reload("between")
    local newer = send("one", "newer", "wait")
    reload("after")
    assert.equal("after", see("one").text)
    app:open_gate("newer")
    app:open_gate("older")
    assert.same({ number - 2, "before" }, { await(older).generation, await(older).text })
    assert.same({ number - 1, "between" }, { await(newer).generation, await(newer).text })
  end)

  it("waits while a worker has three states, and then takes what the files say last", function()
    reload("held 1")
    local held = { send("one", "hold 1", "wait") }
    for i = 2, 3 do
      reload("held " .. i)
      held[i] = send("one", "hold " .. i, "wait")
    end
    write("never")
    lagoon.process:signal("sighup")
    lagoon:wait_log("^reload: a worker of consumer one has 3 Lua states")
    assert.equal("held 3", see("one").text)
    write("the last")
    local asked = #lagoon:log("^SIGHUP: reloading")
    lagoon.process:signal("sighup")
    wait.till("the signal", 10000, function()
      return #lagoon:log("^SIGHUP: reloading") > asked
    end)
    app:open_gate("hold 1")
    await_reload()
    assert.equal("the last", see("one").text)
    app:open_gate("hold 2")
    app:open_gate("hold 3")
    for i = 1, 3 do
      assert.equal("held " .. i, await(held[i]).text)
    end
  end)

  it("is not held up by a worker whose handler blocks", function()
    reload("before the block")
    app:make_blocking_gate("block")
    local blocked = send("two", "block", "block")
    for i = 1, 3 do
      reload("beside the block " .. i)
      assert.equal("beside the block " .. i, see("two").text)
    end
    app:open_blocking_gate("block")
    assert.equal("before the block", await(blocked).text)
  end)

  it("is refused for an on_load that fails, and what was made is unloaded", function()
    reload("before on_load")
    app:script("handlers/handler", [[
      local journal = require("journal")
      return {
        handle = function() end,
        on_load = function()
          journal.note({ loads = true })
          if #journal.read("loads") > 3 then
            error("no database")
          end
        end,
        on_unload = function() journal.note({ unloads = true }) end,
      }]])
    assert.matches("stack traceback", be_refused("no database").reason)
    assert.is_true(#app:wait_journal(3, { unloads = true }) >= 3)
    assert.equal("before on_load", see("keys").text)
  end)

  it("says that nothing has changed where nothing has", function()
    reload("as it is")
    lagoon.process:signal("sighup")
    lagoon:wait_log(("nothing has changed, generation %d goes on"):format(number))
  end)

  it("takes up the config's keys that it can, and names the others", function()
    app:write_config((config:gsub('%["consumers"%]', 'log = { format = "json" },\n%0')
      :gsub('%["workers"%] = 1', '%0, handler_timeout = "7s"')))
    lagoon.process:signal("sighup")
    assert.matches("consumers.one.handler_timeout", await_reload().message)
    lagoon:wait_log("only when the process is started again: log.format$")
    assert.equal(number, see("one").generation)
    app:write_config("return {")
    be_refused("config.lua:1: ")
  end)
end)

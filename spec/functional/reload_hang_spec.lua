-- What never ends when it is loaded holds up no later reload, and no record.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local threads = require("spec.support.threads")
local wait = require("spec.support.wait")

local LIMIT_MS = 2000 * wait.patience

local HANDLER = [[
local journal = require("journal")
return function(event) journal.note({ n = event.n, text = "%s" }) end
]]

local ON_LOAD = [[
return {
  handle = function() end,
  on_load = function() require("gate").block("blocks") end,
}
]]

describe("A reload that blocks in a C function", function()
  local broker, app, lagoon, topic, config
  local last_n = 0

  local function see(text)
    last_n = last_n + 1
    broker:produce(topic, { { value = ('{"n":%d}'):format(last_n) } },
      { headers = { { "Message-Type", "Event" } } })
    assert.equal(text, app:wait_journal(1, { n = last_n })[1].text)
  end

  local function be_given_up(what)
    local code, text = app:ask("reload")
    assert.equal(3, code)
    assert.matches("^reload refused, still running generation %d+: " .. what
      .. " has not come to an end for %d+%.%d s: it waits in a function that is no Lua", text)
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("hang", 1)
    config = { consumers = { c = { topic = topic, group = topic,
      handlers = { Event = "handlers.handler" } } } }
    app = application.new(broker.brokers, config, { ["handlers/handler"] = HANDLER:format("1") })
    app:make_blocking_gate("blocks")
    lagoon = app:start({ "run" }, { env = { LAGOON_SPEC_ERRAND_MS = tostring(LIMIT_MS) } })
    lagoon:wait_assigned("c")
  end)

  it("at the top of a file is given up and says so, and the next one serves", function()
    app:script("handlers/handler", 'require("gate").block("blocks")\n' .. HANDLER:format("2"))
    be_given_up("module 'handlers.handler' %(consumers.c.handlers.Event%)")
    see("1")
    assert.equal(1, #threads.named(lagoon.process.pid, "reload"))
    app:script("handlers/handler", HANDLER:format("3"))
    assert.equal(0, (app:ask("reload")))
    see("3")
  end)

  it("has given way to the threads that handle records", function()
    local worker = threads.named(lagoon.process.pid, "c/1")[1]
    local load = threads.named(lagoon.process.pid, "reload")[1]
    assert.is_true(load.nice > worker.nice)
  end)

  it("in on_load of a consumer that runs, or of one that is new, likewise", function()
    app:script("handlers/handler", ON_LOAD)
    be_given_up("on_load %(scripts/handlers/handler.lua:3%)")
    app:script("handlers/handler", HANDLER:format("4"))
    app:script("handlers/new", ON_LOAD)
    config.consumers.new = { topic = topic, group = topic .. "-new", handler = "handlers.new" }
    app:write_config(config)
    be_given_up("on_load %(scripts/handlers/new.lua:3%)")
    see("3")
    config.consumers.new = nil
    app:write_config(config)
    assert.equal(0, (app:ask("reload")))
    see("4")
  end)

  it("keeps the process from no clean end", function()
    assert.equal(0, lagoon:stop())
  end)
end)

describe("A reload whose on_load does not come back", function()
  it("does not hold up the replacement of a Lua state that ran out of memory", function()
    local broker = brokers.start()
    local topic = broker:new_topic("hang", 1)
    local flooding = [[
      local journal = require("journal")
      return function(event, context)
        local t = {}
        while event.floods do t[#t + 1] = {} end
        journal.record(context)
      end
    ]]
    local app = application.new(broker.brokers, { lua = { memory_limit = "8MiB" },
      consumers = { c = { topic = topic, group = topic, workers = 1,
        on_error = { retries = 0, give_up = "skip" },
        handlers = { Event = "handlers.handler" } } } }, { ["handlers/handler"] = flooding })
    app:make_blocking_gate("blocks")
    local lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
    app:script("handlers/handler", ON_LOAD)
    local asked = app:start({ "reload" })
    wait.till("the reload to be under way", 10000, function()
      return #threads.named(lagoon.process.pid, "reload") == 1
    end)
    local headers = { headers = { { "Message-Type", "Event" } } }
    broker:produce(topic, { { value = '{"floods":true}' } }, headers)
    lagoon:wait_log("^consumer c: worker 1 goes on in a new Lua state", nil, 10000)
    broker:produce(topic, { { value = "{}" } }, headers)
    app:wait_journal(1)
    assert.is_true(asked.process:is_running())
    app:open_blocking_gate("blocks")
    assert.equal(0, (asked.process:wait_exit(20000)))
    assert.equal(0, lagoon:stop())
  end)
end)

-- What a stop still handles: what stands before records that were handled already, in the order of
-- its key, so that a deployment repeats nothing.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

local GATED = [[
local gate = require("gate")
local journal = require("journal")

return function(event, context)
  journal.record(context, { what = "begin", n = event.n })
  gate.wait(event.gate)
  if event.fails then
    error("fails")
  end
  journal.record(context, { what = "end", n = event.n })
end
]]

local HEADERS = { headers = { { "Message-Type", "Event" } } }

describe("a stop of a consumer that keeps the order of keys", function()
  local broker
  local apps = {}

  local function start(name)
    local topic = broker:new_topic(name, 1)
    local app = application.new(broker.brokers, { consumers = { [name] = { topic = topic,
      group = topic, distribution = "key", workers = 2, buffer_size = 5, commit_interval = "1h",
      handlers = { Event = "handlers.event" } } } }, { ["handlers/event"] = GATED })
    app.topic, app.lagoon = topic, app:start({ "run" })
    apps[name] = app
  end

  -- Three of one key, of which the first waits; two that pass them; one more of the key.
  local function pass_a_key(app, fails)
    local records = {}
    for n, key in ipairs({ "hot", "hot", "hot", "b", "c", "hot" }) do
      records[n] = { key = key, value = ('{"n":%d,"gate":"%s","fails":%s}'):format(n,
        key == "hot" and "shut" or "open", fails and n == 1) }
    end
    app:open_gate("open")
    broker:produce(app.topic, records, HEADERS)
    app:wait_journal(1, { what = "begin", n = 1 })
    app:wait_journal(2, { what = "end" })
    app.lagoon.process:signal("sigterm")
    app.lagoon:wait_log("^SIGTERM: stopping")
    app:open_gate("shut")
    assert.equal(0, (app.lagoon.process:wait_exit(10000)))
  end

  local function numbers_of(entries)
    local numbers = {}
    for i, entry in ipairs(entries) do
      numbers[i] = ("%d"):format(entry.n)
    end
    return table.concat(numbers, " ")
  end

  setup(function()
    broker = brokers.start()
    start("passes")
    start("fails")
    for name, app in pairs(apps) do
      app.lagoon:wait_assigned(name)
    end
  end)

  it("handles what stands before handled records, and gives back what stands behind", function()
    local app = apps.passes
    pass_a_key(app, false)
    local ended = numbers_of(app:journal({ what = "end" })):gsub("^5 4", "4 5")
    assert.equal("4 5 1 2 3", ended)
    local counts = app.lagoon:wait_log("^consumer passes: stopped")
    assert.same({ 5, 1 }, { counts.handled, counts.given_back })
    assert.equal(5, broker:committed(app.topic, app.topic, 1)[0])
  end)

  it("waits for no new try, and lets nothing pass the record that failed", function()
    local app = apps.fails
    pass_a_key(app, true)
    assert.equal(3, #app:journal({ what = "begin" }))
    local counts = app.lagoon:wait_log("^consumer fails: stopped")
    assert.same({ 2, 4 }, { counts.handled, counts.given_back })
    assert.is_true((broker:committed(app.topic, app.topic, 1)[0] or -1) <= 0)
  end)
end)

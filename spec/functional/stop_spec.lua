-- How it stops: what has begun is finished and committed, the rest goes back, and there is an end.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local uv = require("luv")
local wait = require("spec.support.wait")

local GATED = [[
local gate = require("gate")
local journal = require("journal")
local lagoon = require("lagoon")

return function(event, context)
  journal.record(context, { what = "begin", n = event.n, run = lagoon.env("RUN") })
  gate[event.how](event.gate)
  journal.record(context, { what = "end", n = event.n, run = lagoon.env("RUN") })
end
]]

local PUBLISHES = [[
local journal = require("journal")
local producer = require("lagoon").producer("out")

return function(event, context)
  for n = 1, 100 do
    producer:publish("Sent", { n = n }, { key = context.key })
  end
  journal.record(context)
end
]]

describe("a stop", function()
  local broker
  local apps = {}

  ---Starts an application that handles one topic of one partition.
  local function start(name, fields)
    local app = apps[name]
    if not app then
      local topic = broker:new_topic(name, 1)
      local config = { stop_timeout = fields.stop_timeout, producers = fields.producers,
        consumers = { [name] = { topic = topic, group = topic, distribution = "free_worker",
          workers = 2, buffer_size = 5, commit_interval = "1h",
          handlers = { Event = "handlers.event" } } } }
      app = application.new(broker.brokers, config,
        { ["handlers/event"] = fields.producers and PUBLISHES or GATED })
      app.topic, app.runs = topic, 0
      apps[name] = app
    end
    app.runs = app.runs + 1
    app.lagoon = app:start({ "run" }, { env = { RUN = app.runs } })
    return app
  end

  local function produce(name, count, how)
    local records = {}
    for n = 1, count do
      records[n] = { key = "key " .. n,
        value = ('{"n":%d,"how":"%s","gate":"gate"}'):format(n, how or "wait") }
    end
    broker:produce(apps[name].topic, records, { headers = { { "Message-Type", "Event" } } })
  end

  -- All of them join their groups at the same time.
  setup(function()
    broker = brokers.start()
    start("finishes", {})
    start("blocks", { stop_timeout = "2s" })
    start("sleeps", {})
    start("hurries", {})
    local out = broker:new_topic("flushed", 1)
    start("flushes",
      { producers = { out = { topic = out, properties = { ["linger.ms"] = 700 } } } })
    apps.flushes.out = out
    for name, app in pairs(apps) do
      app.lagoon:wait_assigned(name)
    end
  end)

  it("lets handlers that have begun finish, commits them and gives the others back", function()
    local app = apps.finishes
    produce("finishes", 30)
    app:wait_journal(10, { what = "begin" })
    app.lagoon.process:signal("sigterm")
    app.lagoon:wait_log("^SIGTERM: stopping, within 25 s$")
    app.lagoon:wait_log("^consumer finishes: waiting up to .* for 10 handlers to end$")
    app:open_gate("gate")
    assert.equal(0, (app.lagoon.process:wait_exit(10000)))
    assert.equal(10, #app:journal({ what = "begin" }))
    assert.equal(10, #app:journal({ what = "end" }))
    local counts = app.lagoon:wait_log("^consumer finishes: stopped")
    assert.same({ 10, 0, 20 }, { counts.handled, counts.failed, counts.given_back })
    assert.equal(10, broker:committed(app.topic, app.topic, 1)[0])
  end)

  it("handles nothing twice, and loses nothing", function()
    local app = start("finishes")
    app.lagoon:wait_assigned("finishes")
    app:wait_journal(30, { what = "end" })
    assert.equal(0, app.lagoon:stop())
    local times = {}
    for _, entry in ipairs(app:journal({ what = "begin" })) do
      times[entry.n] = (times[entry.n] or 0) + 1
    end
    for n = 1, 30 do
      assert.equal(1, times[n], "record " .. n)
    end
    assert.equal(30, broker:committed(app.topic, app.topic, 1)[0])
  end)

  ---Stops it with one handler that does not end; returns how long that took.
  local function stop_stuck(name, how, stop)
    local app = apps[name]
    if how == "block" then
      app:make_blocking_gate("shut")
    end
    app:open_gate("open")
    local headers = { { "Message-Type", "Event" } }
    broker:produce(app.topic, { { key = "done", value = '{"n":1,"how":"wait","gate":"open"}' } },
      { headers = headers })
    app:wait_journal(1, { what = "end" })
    broker:produce(app.topic, { { key = "stuck \1",
      value = ('{"n":2,"how":"%s","gate":"shut"}'):format(how) } }, { headers = headers })
    app:wait_journal(1, { what = "begin", n = 2 })
    local began = uv.hrtime()
    app.lagoon.process:signal("sigterm")
    app.lagoon:wait_log("^SIGTERM: stopping")
    if stop then
      stop(app.lagoon)
    end
    local code = app.lagoon.process:wait_exit(10000)
    local took_ms = (uv.hrtime() - began) / 1000000
    local named = app.lagoon:log("the handler of this record still runs, time is up")
    assert.equal(1, #named)
    assert.same({ "error", app.topic, 0, 1, "stuck \1" },
      { named[1].level, named[1].topic, named[1].partition, named[1].offset, named[1].key })
    assert.equal(1, #app.lagoon:log("^stopped; what was abandoned is named above$"))
    assert.equal(5, code)
    assert.equal(1, broker:committed(app.topic, app.topic, 1)[0])
    return took_ms
  end

  it("names a handler that blocks longer than stop_timeout, and ends without it", function()
    local took_ms = stop_stuck("blocks", "block")
    assert.is_true(took_ms > 1000 and took_ms < 4000 * wait.patience, took_ms .. " ms")
  end)

  local function hurry(lagoon)
    wait.till("the hurry", 5000, function()
      lagoon.process:signal("sigint")
      return #lagoon:log("^hurrying: ") > 0
    end)
  end

  it("is hurried by a second signal", function()
    local took_ms = stop_stuck("hurries", "block", hurry)
    assert.is_true(took_ms < 8000 * wait.patience, took_ms .. " ms")
  end)

  it("is over at once when a second signal finds handlers that only wait", function()
    local app = apps.sleeps
    produce("sleeps", 30)
    app:wait_journal(10, { what = "begin" })
    app.lagoon.process:signal("sigterm")
    app.lagoon:wait_log("^consumer sleeps: waiting up to .* for 10 handlers to end$")
    hurry(app.lagoon)
    assert.equal(0, (app.lagoon.process:wait_exit(8000)))
    app.lagoon:wait_log("^consumer sleeps: time is up for 10 handlers: interrupted")
    local counts = app.lagoon:wait_log("^consumer sleeps: stopped")
    assert.same({ 0, 0, 10, 30 }, { counts.handled, counts.failed, counts.interrupted,
      counts.given_back })
  end)

  it("waits for what was published until it is acknowledged, and settles its records", function()
    local app = apps.flushes
    broker:produce(app.topic, { { key = "k", value = "{}" } },
      { headers = { { "Message-Type", "Event" } } })
    app:wait_journal(1)
    app.lagoon.process:signal("sigint")
    app.lagoon:wait_log("^SIGINT: stopping")
    assert.equal(0, (app.lagoon.process:wait_exit(10000)))
    assert.equal(100, #broker:consume(app.out))
    assert.equal(1, broker:committed(app.topic, app.topic, 1)[0])
  end)
end)

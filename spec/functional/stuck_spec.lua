-- A handler that cannot be ended, because it is in a C function, holds its worker and nobody else.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

local BLOCKS = [[
local gate = require("gate")
local journal = require("journal")
return function(event, context)
  journal.record(context, { what = "begin" })
  if event.blocks then
    gate.block("shut")
  end
  journal.record(context, { what = "end" })
end
]]

local STUCK_MS = 20000

describe("a worker that is stuck", function()
  local broker
  local apps = {}

  local function produce(app, partition, value)
    broker:produce(app.topic, { { key = "k", value = value } },
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  local function start(name, on_stuck, stop_timeout)
    local topic = broker:new_topic("stuck", 3)
    local app = application.new(broker.brokers, { stop_timeout = stop_timeout,
      consumers = { c = { topic = topic, group = topic, workers = 1, on_error = "stop",
        handler_timeout = "100ms", on_stuck = on_stuck, commit_interval = "50ms",
        handlers = { Event = "handlers.blocks" } } },
    }, { ["handlers/blocks"] = BLOCKS })
    app:make_blocking_gate("shut")
    app.topic = topic
    app.lagoon = app:start({ "run" })
    app.lagoon:wait_assigned("c")
    produce(app, 0, '{"blocks":true}')
    app:wait_journal(1, { partition = 0, what = "begin" })
    apps[name] = app
  end

  -- All wait at the same time.
  setup(function()
    broker = brokers.start()
    start("report", "report", "2s")
    start("late", "report", "4s")
    start("abort", "abort", "2s")
  end)

  it("is named with its record, and another one takes its place", function()
    local app = apps.report
    local line = app.lagoon:wait_log("^consumer c: worker 1 is stuck: ", nil, STUCK_MS)
    assert.same({ "error", app.topic, 0, 0, "k" },
      { line.level, line.topic, line.partition, line.offset, line.key })
    produce(app, 1, "{}")
    local entry = app:wait_journal(1, { partition = 1, what = "end" })[1]
    assert.equal(2, entry.worker)
  end)

  it("goes on when its handler ends after all, and its record fails by its policy", function()
    local app = apps.report
    app:open_blocking_gate("shut")
    app.lagoon:wait_log("^consumer c: worker 1 is not stuck any more$")
    local line = app.lagoon:wait_log("^consumer c: a record failed", { partition = 0 })
    assert.matches("ended: it ran longer than 0.1 s %(handler_timeout%)", line.reason)
    assert.equal(0, app.lagoon:stop())
    assert.same({ [0] = 0, [1] = 1, [2] = 0 }, broker:committed(app.topic, app.topic, 3))
  end)

  it("ends the process when the config says so and nobody is left to take its place", function()
    local app = apps.abort
    app.lagoon:wait_log("^consumer c: worker 1 is stuck: ", nil, STUCK_MS)
    produce(app, 1, "{}")
    app:wait_journal(1, { partition = 1, what = "end" })
    produce(app, 2, '{"blocks":true}')
    app.lagoon:wait_log("^consumer c: worker 2 is stuck: ", { partition = 2 }, STUCK_MS)
    app.lagoon:wait_log("^consumer c: 2 of its workers are stuck, and no further one takes")
    app.lagoon:wait_log('^consumer c: on_stuck is "abort"; the process stops$', nil, STUCK_MS)
    assert.equal(5, (app.lagoon.process:wait_exit(10000)))
    assert.equal(2, #app.lagoon:log("the handler of this record still runs, time is up"))
    assert.same({ [0] = 0, [1] = 1, [2] = 0 }, broker:committed(app.topic, app.topic, 3))
  end)

  it("is waited for in a stop, and ends with its handler", function()
    local app = apps.late
    app.lagoon:wait_log("^consumer c: worker 1 is stuck: ", nil, STUCK_MS)
    app.lagoon.process:signal("sigterm")
    app.lagoon:wait_log("is given back while 1 handlers still run")
    app:open_blocking_gate("shut")
    assert.equal(0, (app.lagoon.process:wait_exit(10000)), app.lagoon.process:stderr())
  end)
end)

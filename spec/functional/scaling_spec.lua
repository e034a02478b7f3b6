-- Workers come and go with the lag, and nobody notices but the log.

local application = require("spec.support.application")
local broker = require("spec.support.broker")
local directory = require("spec.support.directory")
local oracle = require("spec.support.oracle")
local uv = require("luv")
local wait = require("spec.support.wait")

local SCRIPTS = {
  ["handlers/try"] = [[
local gate = require("gate")
local journal = require("journal")

return function(event, context)
  journal.record(context, { mark = "begin", name = event.name })
  if event.gate then
    gate.wait(event.gate)
  end
  journal.record(context, { mark = "end", name = event.name })
end
]],
}

describe("Workers that follow the lag", function()
  local server

  before_each(function()
    server = broker.start()
  end)

  ---An application with one consumer of one topic.
  local function start(consumer, scripts)
    local topic = server:new_topic("orders", 4)
    consumer.topic, consumer.group = topic, topic
    consumer.handlers = { Try = "handlers.try" }
    local app = application.new(server.brokers, { consumers = { c = consumer } },
      scripts or SCRIPTS)
    local run = app:start({ "run" })
    run:wait_log("^consumer c: assigned", nil, 20000)
    return app, run, topic
  end

  local function send(topic, count, event)
    local records = {}
    for i = 1, count do
      records[i] = { key = "key-" .. i, value = event }
    end
    server:produce(topic, records, { headers = { { "Message-Type", "Try" } } })
  end

  local function distinct_workers(entries)
    local seen, count = {}, 0
    for _, entry in ipairs(entries) do
      count = count + (seen[entry.worker] and 0 or 1)
      seen[entry.worker] = true
    end
    return count
  end

  it("are as many as it asks for, at once, and up to max", function()
    local app, run, topic = start({ distribution = "free_worker", buffer_size = 1,
      workers = { min = 2, max = 20, lag_threshold = 5 } })
    send(topic, 40, '{"gate":"first"}')
    wait.till("8 workers to have begun", 5000, function()
      return distinct_workers(app:journal({ mark = "begin" })) == 8
    end)
    assert.equal(1, #run:log("^consumer c: 2 %-> 8 workers: lag 40, 5 a worker$"))
    send(topic, 1000, '{"gate":"first"}')
    wait.till("20 workers to have begun", 5000, function()
      return distinct_workers(app:journal({ mark = "begin" })) == 20
    end)
    assert.equal(1, #run:log("^consumer c: 8 %-> 20 workers: lag %d+, 5 a worker$"))
    app:open_gate("first")
    app:wait_journal(1040, { mark = "end" })
    assert.equal(20, distinct_workers(app:journal()))
    run.process:signal("sigterm")
    assert.equal(0, run.process:wait_exit(15000))
    assert.equal(2, #run:log("%d workers: lag"))
  end)

  it("are not more for a single record that is stuck, whatever is done behind it", function()
    local app, run, topic = start({ distribution = "free_worker",
      workers = { min = 1, max = 10, lag_threshold = 500 } })
    send(topic, 1, '{"gate":"stuck"}')
    app:wait_journal(1, { mark = "begin" })
    local sent, began = 0, uv.hrtime()
    while sent < 2000 or uv.hrtime() - began < 3 * 1000000000 do
      send(topic, 250, "{}")
      sent = sent + 250
      app:wait_journal(sent, { mark = "end" })
    end
    assert.equal(0, #run:log("workers: lag"))
    app:open_gate("stuck")
    app:wait_journal(sent + 1, { mark = "end" })
  end)

  it("are not more than partitions where each partition has an order", function()
    local app, run, topic = start({ distribution = "partition", buffer_size = 1,
      workers = { min = 1, max = 20, lag_threshold = 5 } })
    send(topic, 200, '{"gate":"first"}')
    run:wait_log("^consumer c: 1 %-> 4 workers: lag 200, 5 a worker, at most one a partition$")
    wait.till("4 workers to have begun", 5000, function()
      return distinct_workers(app:journal({ mark = "begin" })) == 4
    end)
    app:open_gate("first")
    app:wait_journal(200, { mark = "end" })
  end)

  it("are all there for handlers that block, also behind many that were over at once", function()
    local app, _, topic = start({ distribution = "free_worker", buffer_size = 1, workers = 12 }, {
      ["handlers/try"] = [[
local gate = require("gate")
local journal = require("journal")

return function(event, context)
  if event.gate then
    journal.record(context, { mark = "begin" })
    gate.wait(event.gate)
    journal.record(context, { mark = "end" })
  end
end
]],
    })
    -- The first make the dispatcher spare workers; what blocks begins while there are more of them.
    send(topic, 40000, "{}")
    send(topic, 12, '{"gate":"all"}')
    send(topic, 2000, "{}")
    wait.till("12 workers to have begun", 10000, function()
      return distinct_workers(app:journal({ mark = "begin" })) == 12
    end)
    app:open_gate("all")
    app:wait_journal(12, { mark = "end" })
  end)

  it("go on without the one whose scripts do not load any more, which is tried again", function()
    local marker = directory.new() .. "/marker"
    local app, run, topic = start({ distribution = "free_worker", buffer_size = 1,
      workers = { min = 2, max = 4, lag_threshold = 5 } }, {
      ["handlers/try"] = ("assert(not io.open(%q), 'the marker is there')\n"):format(marker) ..
        SCRIPTS["handlers/try"],
    })
    directory.write(marker, "")
    send(topic, 100, '{"gate":"first"}')
    local warning = run:wait_log("^consumer c: 2 of 4 workers run, no further one could be started")
    assert.truthy(warning.message:find(
      "tries again in 5 s: .*handlers/try.lua:1: the marker is there"))
    assert.equal(2, distinct_workers(app:journal({ mark = "begin" })))
    os.remove(marker)
    wait.till("4 workers to have begun", 8000, function()
      return distinct_workers(app:journal({ mark = "begin" })) == 4
    end)
    app:open_gate("first")
    app:wait_journal(100, { mark = "end" })
  end)
end)

describe("Workers that come and go at random under load", function()
  for _, distribution in ipairs({ "key", "free_worker" }) do
    it("lose no record, handle none twice and keep the order of " .. distribution, function()
      local judge = oracle.new({ is_ordered = distribution == "key", consumer = {
        distribution = distribution, workers = { min = 1, max = 30 }, buffer_size = 3 } })
      local member = judge.app:start({ "run", "--only", "consumers" },
        { env = { LAGOON_SPEC_RESIZE_MS = "20" } })
      judge:wait_assigned(member)
      local sent = judge:start_traffic({ rate = 1000, keys = 100, event = function()
        return { random_ms = 10 }
      end })
      judge:wait("100 changes", 30000, function()
        return #member:log("workers: shaken$") >= 100
      end)
      sent:stop()
      judge:wait_handled(20000)
      judge:wait_committed(10000)
      judge:stop_member(member)
      assert.equal(0, judge.verdicts:repeated("begun"))
      assert.same({}, judge.verdicts.wrong)
    end)
  end
end)

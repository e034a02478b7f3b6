-- A stop's time for handlers: who has not ended by then is interrupted, closes what it has to, and
-- its record goes back to Kafka as one that never failed.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local sanitizer = require("spec.support.sanitizer")

local examples = {}
for _, example in ipairs(require("spec.functional.stop_interrupt_examples")) do
  if not sanitizer.holds_signals or not example[2]:find("while true do end", 1, true) then
    table.insert(examples, example)
  end
end

local function handlers()
  local lines = { [[
local journal = require("journal")
local lagoon = require("lagoon")
local M = {}
local name, context
local function after() journal.record(context, { what = "after", example = name }) end
]] }
  for _, example in ipairs(examples) do
    table.insert(lines, ("M[%q] = function() %s end"):format(example[1], example[2]))
  end
  table.insert(lines, [[
return function(event, its_context)
  context, name = its_context, event.example
  local example = name
  journal.record(its_context, { what = "begin", example = example, attempt = its_context.attempt,
    run = lagoon.env("RUN") })
  if lagoon.env("RUN") == "2" then
    return
  end
  local closing <close> = setmetatable({}, { __close = function()
    local n = 0
    for i = 1, 100000 do
      n = n + i
    end
    journal.record(its_context, { what = "closed", example = example })
  end })
  M[event.example]()
  journal.note({ what = "after", example = example })
end]])
  return table.concat(lines, "\n")
end

describe("a handler that a stop interrupts", function()
  local broker, app, topic, lagoon
  local headers = { { "Message-Type", "Event" } }

  -- Each has a worker of its own, since some never wait.
  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("interrupted", #examples)
    app = application.new(broker.brokers, { stop_timeout = "5s", consumers = {
      c = { topic = topic, group = topic, workers = #examples, buffer_size = 1,
        distribution = "free_worker", cpu_limit = false, handler_timeout = false,
        on_error = "skip", handlers = { Event = "handlers.event" } } } },
      { ["handlers/event"] = handlers() })
    lagoon = app:start({ "run" }, { env = { RUN = "1" } })
    lagoon:wait_assigned("c")
    for i, example in ipairs(examples) do
      broker:produce(topic, { { key = "k", value = ('{"example":%q}'):format(example[1]) } },
        { partition = i - 1, headers = headers })
    end
    app:wait_journal(#examples, { what = "begin" })
    lagoon.process:signal("sigterm")
    lagoon.process:wait_exit(20000)
  end)

  it("ends, whatever it does to go on, and leaves nothing undone", function()
    assert.equal(0, lagoon.process.code, lagoon.process:stderr())
    assert.same({}, app:journal({ what = "after" }))
  end)

  it("closes its variables marked so, for some time", function()
    for _, example in ipairs(examples) do
      local closed = #app:journal({ what = "closed", example = example[1] })
      assert.same({ example[1], example.is_late and closed or 1 }, { example[1], closed })
    end
  end)

  it("is said with its record, which has not failed", function()
    lagoon:wait_log(("^consumer c: time is up for %d handlers: interrupted, and the records " ..
      "given back$"):format(#examples), { level = "warn" })
    local lines = lagoon:log("^consumer c: a handler was interrupted by the stop; its record is " ..
      "given back, so it will be handled again$")
    assert.equal(#examples, #lines)
    local seen = {}
    for _, line in ipairs(lines) do
      assert.same({ "info", topic, 0, "k" }, { line.level, line.topic, line.offset, line.key })
      assert.matches("ended: the process stops$", line.reason)
      seen[line.partition] = true
    end
    for partition = 0, #examples - 1 do
      assert.is_true(seen[partition])
    end
    assert.same({}, lagoon:log("failed"))
    local counts = lagoon:wait_log("^consumer c: stopped")
    assert.same({ 0, 0, 0, 0, #examples }, { counts.handled, counts.skipped, counts.retried,
      counts.failed, counts.interrupted })
  end)

  it("is handled again by whoever reads it next, and counts as not tried", function()
    for _, offset in pairs(broker:committed(topic, topic, #examples)) do
      assert.equal(0, offset)
    end
    local second = app:start({ "run" }, { env = { RUN = "2" } })
    second:wait_assigned("c")
    app:wait_journal(#examples, { what = "begin", run = "2", attempt = 1 })
    assert.equal(0, second:stop())
    for _, offset in pairs(broker:committed(topic, topic, #examples)) do
      assert.equal(1, offset)
    end
  end)

  it("may wait for a broker that does not answer", function()
    local own = brokers.start_embedded()
    local out = own:new_topic("out", 1)
    local source = own:new_topic("awaits", 1)
    local awaits = application.new(own.brokers, { stop_timeout = "5s",
      producers = { out = { topic = out } },
      consumers = { c = { topic = source, group = source, workers = 1,
        handlers = { Event = "handlers.event" } } } }, { ["handlers/event"] = [[
local journal = require("journal")
local out = require("lagoon").producer("out")
return function(event, context)
  journal.record(context, { what = "begin" })
  require("gate").wait("gate")
  local delivery = out:publish("Sent", {}, { key = "k" })
  journal.note({ what = "published" })
  pcall(delivery.await, delivery)
  journal.note({ what = "after" })
end]] })
    local run = awaits:start({ "run" })
    run:wait_assigned("c")
    own:produce(source, { { key = "k", value = "{}" } }, { headers = headers })
    awaits:wait_journal(1, { what = "begin" })
    own.process:signal("sigstop")
    awaits:open_gate("gate")
    awaits:wait_journal(1, { what = "published" })
    run.process:signal("sigterm")
    run:wait_log("^consumer c: time is up for 1 handler: interrupted, and the record given back$")
    own.process:signal("sigcont")
    assert.equal(0, (run.process:wait_exit(15000)), run.process:stderr())
    assert.equal(1, #run:log("^consumer c: a handler was interrupted by the stop"))
    assert.same({}, awaits:journal({ what = "after" }))
  end)
end)

-- A backlog that nobody gets through does not end up in memory.

local application = require("spec.support.application")
local broker = require("spec.support.broker")
local kafka = require("spec.support.kafka")
local threads = require("spec.support.threads")
local unit = require("unit")
local uv = require("luv")
local wait = require("spec.support.wait")

local RECORDS, RECORD_BYTES = 200000, 600
local MIB = 1024 * 1024
-- The program, its libraries and its threads, before it has met a record.
local PROGRAM_BYTES = 30 * MIB

---Waits until the peak has not grown for a second.
local function wait_settled(pid)
  local peak, since = 0, uv.hrtime()
  wait.till("the memory to settle", 30000, function()
    local now = threads.peak_bytes(pid)
    if now > peak + 64 * 1024 then
      peak, since = now, uv.hrtime()
    end
    return uv.hrtime() - since > 1e9
  end)
  return peak
end

describe("On Kafka a backlog", function()
  it("takes no more memory than the consumer says that it may", function()
    local brokers = kafka.shared().brokers
    local topic = broker.unique("backlog")
    assert(unit.kafka.create_topic(brokers, topic, 1, 1))
    wait.till("topic " .. topic, 10000, function()
      return unit.kafka.partitions(brokers, topic) == 1
    end)
    local writer = unit.oracle.writer(brokers, { ["message.timeout.ms"] = 0,
      ["queue.buffering.max.messages"] = 1000000 })
    for n = 1, RECORDS do
      assert(writer:send(topic, "Event", "key " .. n % 1000, ("x"):rep(RECORD_BYTES), 0))
    end
    wait.till("the backlog", 60000, function()
      return writer:counts() == RECORDS
    end)

    local app = application.new(brokers, { consumers = { c = { topic = topic, group = topic,
      codec = "raw", workers = 1, window = { bytes = "8MiB", records = 1000000 },
      dead_letter = false, on_error = "stop", on_invalid = "stop",
      handlers = { Event = "handlers.waits" } } } },
      { ["handlers/waits"] = 'return function() require("gate").wait("gate") end' })
    local run = app:start({ "run" })
    run:wait_assigned("c")
    local line = run:wait_log("^consumer c: memory: at most ")
    local peak = wait_settled(run.process.pid)
    assert.is_true(peak < line.total_bytes + PROGRAM_BYTES,
      ("%d MiB, of %d MiB"):format(peak // MIB, line.total_bytes // MIB))
    -- Else nothing was read ahead.
    assert.is_true(peak > 20 * MIB, peak // MIB .. " MiB")
    run.process:signal("sigterm")
    run.process:wait_exit(30000)
  end)
end)

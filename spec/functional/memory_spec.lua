-- What the process says of the memory that it may take.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

local MIB = 1024 * 1024
-- What a message costs beside its bytes.
local MESSAGE = 320

describe("the memory budget", function()
  local broker, topic, lagoon

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("budget", 3)
    local app = application.new(broker.brokers, {
      lua = { memory_limit = "32MiB" }, shared = { memory_limit = "5MiB" },
      producers = { out = { topic = topic, properties = {
        ["queue.buffering.max.kbytes"] = 2048, ["queue.buffering.max.messages"] = 1000 } } },
      consumers = {
        c = { topic = topic, group = topic, workers = { min = 1, max = 4 }, max_ahead = 50000,
          window = { bytes = "3MiB", records = 15000 }, handlers = { Event = "handlers.any" },
          properties = { ["queued.max.messages.kbytes"] = 5120, ["queued.min.messages"] = 2000,
            ["fetch.message.max.bytes"] = MIB, ["session.timeout.ms"] = 4000,
            ["heartbeat.interval.ms"] = 500 } },
        off = { topic = topic, group = topic .. "-off", enabled = false,
          handlers = { Event = "handlers.any" } },
      },
    }, { ["handlers/any"] = "return function() end" })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  local function parts_of(line)
    return { line.total_bytes, line.window_bytes, line.dead_letters_bytes, line.producers_bytes,
      line.shared_bytes,
      line.partition_prefetch_bytes, line.partition_ahead_bytes, line.lua_states, line.lua_bytes }
  end

  local PREFETCH, AHEAD = 6 * MIB + 2000 * MESSAGE, MIB

  it("is said of all that starts, with what a partition adds", function()
    local line = lagoon:wait_log("^memory: at most 13 MiB = windows 3 MiB %+ " ..
      "dead letters 3 MiB %+ producers' queues 2.3 MiB %+ lagoon.shared 5 MiB, and 7.6 MiB " ..
      "for each partition that is assigned; 6 Lua states, of 32 MiB at most$", { level = "info" })
    local queue = 2 * MIB + 1000 * MESSAGE
    assert.same({ 11 * MIB + queue, 3 * MIB, 3 * MIB, queue, 5 * MIB, PREFETCH, AHEAD, 6,
      192 * MIB }, parts_of(line))
  end)

  it("is said again with the partitions that a consumer has been assigned", function()
    local line = lagoon:wait_log("^consumer c: memory: at most 29 MiB = window 3 MiB %+ " ..
      "dead letters 3 MiB %+ 3 partitions of 6.6 MiB read ahead and 1 MiB of offsets; " ..
      "6 Lua states, of %d+ KiB when loaded and 32 MiB at most$", { level = "info" })
    assert.same({ 6 * MIB + 3 * (PREFETCH + AHEAD), 3 * MIB, 3 * MIB, 0, 0, PREFETCH, AHEAD, 6,
      192 * MIB }, parts_of(line))
    assert.equal(3, line.partitions)
    assert.is_true(line.lua_loaded_bytes > 10000 and line.lua_loaded_bytes < MIB)
    assert.equal(0, lagoon:stop())
  end)
end)

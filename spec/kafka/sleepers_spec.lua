-- Handlers that wait cost the others nothing.

local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")

local RATE, KEYS = 1000, 10000
local SLEEP_MS = 20000
-- Below this the machine's noise decides, and not the program.
local FLOOR_MS = 20

local function pass(judge, what, seconds)
  local before = judge.verdicts.handled
  judge:wait(what, 3 * seconds * 1000, function()
    return judge.verdicts.handled >= before + seconds * RATE
  end)
end

---The time from publisher to handler that 99 of 100 records stay below, of those whose key never
---had a sleeper: the least of several stretches, because what the program does to them is in all.
local function measure_p99(judge, sleepers, what)
  local least = math.huge
  for stretch = 1, 3 do
    local times = {}
    judge.verdicts.on_begin = function(entry)
      if not sleepers[entry.key] then
        table.insert(times, entry.at - entry.sent_at)
      end
    end
    pass(judge, ("stretch %d %s"):format(stretch, what), 4)
    judge.verdicts.on_begin = nil
    table.sort(times)
    least = math.min(least, times[math.ceil(#times * 0.99)])
  end
  return least
end

describe("On Kafka, handlers that sleep", function()
  it("leave the latency of other keys as it is, and cause no rebalance", function()
    local judge = oracle.new({ partitions = 10, consumer = { workers = 8, buffer_size = 10,
      properties = { ["max.poll.interval.ms"] = 6000, ["session.timeout.ms"] = 6000 } } })
    local member = judge:start_member()
    local is_sleeping, sleepers = false, {}
    local sent = judge:start_traffic({ rate = RATE, keys = KEYS, event = function(number)
      -- One in a thousand, each of another key.
      if not is_sleeping or number % 1000 ~= number // 1000 * 37 % 1000 then
        return {}
      end
      sleepers["order-" .. (number - 1) % KEYS + 1] = true
      return { sleep_ms = SLEEP_MS }
    end })

    pass(judge, "the warm-up", 3)
    local without = measure_p99(judge, sleepers, "without sleepers")
    is_sleeping = true
    pass(judge, "the first sleepers", 15)
    local beside = measure_p99(judge, sleepers, "beside sleepers")
    sent:stop()
    assert.is_true(beside <= 1.5 * math.max(without, FLOOR_MS),
      ("p99: %d ms beside sleepers, %d ms without"):format(beside, without))

    judge:wait_handled(2 * SLEEP_MS)
    judge:wait_committed(10000)
    assert.equal(1, #member:log("^consumer orders: assigned"))
    assert.equal(0, #member:log("^consumer orders: gives back"))
    assert.equal(0, #member:log("^consumer orders: lost"))
    assert.equal(0, member:stop())
    assert.equal(0, judge.verdicts:repeated("begun"))
    assert.same({}, judge.verdicts.wrong)
  end)

  it("share one worker, as many as its buffer_size", function()
    local judge = oracle.new({ partitions = 1, consumer = { workers = 1, buffer_size = 100 } })
    local writer = judge:new_writer()
    for i = 1, 101 do
      traffic.send(writer, judge.topic, "order-" .. i, 1, { sleep_ms = 3000 })
    end
    local begun, begun_before_an_end = 0, nil
    judge.verdicts.on_begin = function(entry)
      assert.equal(1, entry.worker)
      begun = begun + 1
    end
    judge.verdicts.on_end = function()
      begun_before_an_end = begun_before_an_end or begun
    end
    local member = judge:start_member()
    judge:wait_handled(20000)
    assert.equal(100, begun_before_an_end)
    assert.equal(101, begun)
    assert.equal(0, member:stop())
    assert.same({}, judge.verdicts.wrong)
  end)
end)

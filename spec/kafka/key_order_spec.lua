-- The records of a key are handled one by one, in order, whatever else goes on.

local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")
local wait = require("spec.support.wait")

local function end_well(judge, member)
  judge:wait_committed(10000)
  assert.equal(0, member:stop())
  assert.equal(0, judge.verdicts:repeated("begun"))
  assert.same({}, judge.verdicts.wrong)
end

describe("On Kafka, distribution", function()
  ---The oracle's topic is full before the member starts, so that all of it is in reach at once.
  local function fill(options, count, event_of)
    local judge = oracle.new(options)
    local writer = judge:new_writer()
    for i = 1, count do
      traffic.send(writer, judge.topic, event_of(i))
    end
    judge:wait("all records to be acknowledged", 10000, function()
      return writer:counts() == count
    end)
    return judge
  end

  it("key keeps every order's events in order under random delays", function()
    local orders = 8000
    local judge = fill({ consumer = { distribution = "key", workers = 8, buffer_size = 10 } },
      3 * orders, function(i)
        -- The events of an order follow each other closely.
        local order = (i - 1) // 30 * 10 + i % 10
        return "order-" .. order, (i - 1) % 30 // 10 + 1, { random_ms = 5 }
      end)
    local member = judge:start_member()
    judge:wait_handled(60000)
    end_well(judge, member)
  end)

  it("key does not stall between the records of a single hot key", function()
    local count = 5000
    local judge = fill({ partitions = 2, consumer = { distribution = "key", workers = 8 } }, count,
      function(i)
        return "hot", i, { sleep_ms = i % 10 == 0 and 1 or nil }
      end)
    local last_end
    local gaps = { sum = 0, long = 0 }
    judge.verdicts.on_begin = function(entry)
      local gap = last_end and entry.at - last_end or 0
      gaps.sum = gaps.sum + gap
      gaps.long = gaps.long + (gap >= 5 and 1 or 0)
    end
    judge.verdicts.on_end = function(entry)
      last_end = entry.at
    end
    local member = judge:start_member()
    judge:wait_handled(30000)
    -- The clock of the ledger counts milliseconds; over many records that evens out.
    assert.is_true(gaps.sum / count < 0.2 * wait.patience,
      ("%.3f ms between records"):format(gaps.sum / count))
    assert.is_true(gaps.long < count / 100 * wait.patience, gaps.long .. " gaps of 5 ms and more")
    end_well(judge, member)
  end)

  local function check_slowest(gate)
    local count = 4000
    local judge = fill({ partitions = 1, is_ordered = false,
      consumer = { distribution = "free_worker", workers = 4 } }, count, function(i)
        return "order-" .. i % 7, i, i == 1 and { [gate] = "slow" } or {}
      end)
    local member = judge:start_member()
    judge:wait("everything else to be handled", 20000, function()
      return judge.verdicts.handled == count - 1
    end)
    assert.equal(1, judge.verdicts:count_running({ partition = 0, offset = 0 }))
    assert.equal(0, judge:sample(true)[0] or 0)
    judge.app:open_gate("slow")
    judge:wait_handled(10000)
    end_well(judge, member)
  end

  it("free_worker lets the slowest record hold up nobody else when it waits", function()
    check_slowest("wait_gate")
  end)

  it("free_worker lets the slowest record hold up nobody else when it blocks", function()
    check_slowest("block_gate")
  end)
end)

-- Partitions that move between members, under both protocols.

local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")

local PARTITIONS = 4

local PROTOCOLS = {
  eager = { ["session.timeout.ms"] = 6000, ["partition.assignment.strategy"] = "range" },
  cooperative = { ["session.timeout.ms"] = 6000,
    ["partition.assignment.strategy"] = "cooperative-sticky" },
}

local function end_well(judge, member)
  judge:wait_handled(20000)
  judge:wait_committed(10000)
  judge:stop_member(member)
  assert.same({}, judge.verdicts.wrong)
end

---Two signals: its handlers are abandoned, so what it runs goes back at once.
local function hurry_out(judge, member)
  judge:wait("the hurry", 10000, function()
    -- A second signal that follows at once counts as the first.
    member.process:signal("sigterm")
    return #member:log("^hurrying") > 0
  end)
  judge:wait("the member's end", 10000, function()
    return not member.process:is_running()
  end)
end

---In each partition one handler runs until the gate opens, and a record of its key waits behind it.
local function begin_long_handlers(judge, member)
  local writer = judge:new_writer()
  for partition = 0, PARTITIONS - 1 do
    local gate = partition % 2 == 0 and "wait_gate" or "block_gate"
    traffic.send(writer, judge.topic, "long-" .. partition, 1, { [gate] = "long" }, partition)
    traffic.send(writer, judge.topic, "long-" .. partition, 2, {}, partition)
  end
  judge:wait("the long handlers", 10000, function()
    return judge.verdicts:count_running({ pid = member.process.pid, offset = 0 }) == PARTITIONS
  end)
end

---How many of the long handlers ended more than once.
local function count_repeated(judge)
  local repeated = 0
  for partition = 0, PARTITIONS - 1 do
    repeated = repeated + (judge.verdicts.ended[partition][0] > 1 and 1 or 0)
  end
  return repeated
end

local function check_leftovers(protocol, distribution)
  local judge = oracle.new({ partitions = PARTITIONS, is_ordered = distribution == "key",
    consumer = { workers = 8, drain_timeout = "1s", distribution = distribution,
      properties = PROTOCOLS[protocol] } })
  local first = judge:start_member()
  begin_long_handlers(judge, first)
  local sent = judge:start_traffic({ rate = 200, keys = 50, event = function()
    return { random_ms = 5 }
  end })

  local second = judge:start_member()
  judge:wait_progress("with two members", 20000)
  hurry_out(judge, second)
  judge:wait_progress("with one member", 20000)
  judge.app:open_gate("long")
  sent:stop()
  end_well(judge, first)
  -- Those that were taken away ran again behind their leftovers.
  assert.equal(protocol == "eager" and PARTITIONS or PARTITIONS / 2, count_repeated(judge))
end

---Without an order by key what has begun is always the older part of a partition, so that all of it
---can be committed.
local function check_drain(protocol)
  local judge = oracle.new({ partitions = PARTITIONS, is_ordered = false,
    consumer = { workers = 4, distribution = "free_worker", properties = PROTOCOLS[protocol] } })
  local sent = judge:start_traffic({ rate = 500, keys = 100, event = function(number)
    return number % 20 == 0 and { sleep_ms = 300 } or { random_ms = 5 }
  end })
  local members = {}
  for _ = 1, 3 do
    table.insert(members, judge:start_member())
    judge:wait_progress("when one has come", 20000)
  end
  for i = 3, 2, -1 do
    judge:stop_member(members[i])
    judge:wait_progress("when one has gone", 20000)
  end
  sent:stop()
  end_well(judge, members[1])
  assert.equal(0, judge.verdicts:repeated("begun"))
  for _, member in ipairs(members) do
    assert.equal(0, #member:log("could not be committed"))
    assert.equal(0, #member:log(": lost"))
  end
end

for _, protocol in ipairs({ "eager", "cooperative" }) do
  describe("A rebalance on Kafka, " .. protocol .. ",", function()
    it("never runs what it took from a running handler twice at once, by key", function()
      check_leftovers(protocol, "key")
    end)

    it("never runs what it took from a running handler twice at once, under free_worker", function()
      check_leftovers(protocol, "free_worker")
    end)

    it("hands nothing out twice when handlers end within the drain", function()
      check_drain(protocol)
    end)
  end)
end

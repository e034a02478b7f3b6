-- Partitions are taken from handlers that run on beyond the drain, and come back while they still
-- run: what runs keeps its key, and what comes again waits for it.

local traffic = require("spec.support.oracle_traffic")

local PARTITIONS = 4
local PROPERTIES = { ["session.timeout.ms"] = 2000, ["heartbeat.interval.ms"] = 300,
  ["partition.assignment.strategy"] = "range" }

local function begin_long_handlers(trial, member)
  local judge = trial.judge
  local writer = judge:new_writer()
  for partition = 0, PARTITIONS - 1 do
    local gate = partition % 2 == 0 and "wait_gate" or "block_gate"
    traffic.send(writer, judge.topic, "long-" .. partition, 1, { [gate] = "long" }, partition)
    traffic.send(writer, judge.topic, "long-" .. partition, 2, {}, partition)
  end
  trial:wait("Q", "the long handlers", 10000, function()
    return judge.verdicts:count_running({ pid = member.process.pid, offset = 0 }) == PARTITIONS
  end)
end

local function count_taken(member)
  return #member:log("^consumer orders: assigned ")
end

return function(trial)
  local distribution = trial.options.distribution or "key"
  local judge = trial:start({ partitions = PARTITIONS, is_ordered = distribution == "key",
    consumer = { workers = 8, drain_timeout = "300ms", distribution = distribution,
      properties = PROPERTIES } })
  local first = trial:come()
  begin_long_handlers(trial, first)
  local sent = judge:start_traffic({ rate = 200, keys = 20, event = function()
    return { random_ms = 5 }
  end })
  local second = trial:come()
  trial:pass(300)
  local taken = count_taken(first)
  trial:kill(second)
  trial:wait("Q", "the partitions to come back", 20000, function()
    return count_taken(first) > taken
  end)
  trial:pass(500)
  judge.app:open_gate("long")
  sent:stop()
  trial:settle(15000)
  trial:go(first)
end

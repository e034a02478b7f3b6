-- A group that begins at the end is killed before its first commit on the timer: what came since it
-- began is not lost.

local PARTITIONS = 2
local PROPERTIES = { ["session.timeout.ms"] = 2000, ["heartbeat.interval.ms"] = 300 }

local function earliest_begun(verdicts, partition)
  local earliest
  for offset in pairs(verdicts.begun[partition] or {}) do
    earliest = math.min(earliest or offset, offset)
  end
  return earliest
end

return function(trial)
  local judge = trial:start({ partitions = PARTITIONS, is_ordered = false, consumer = { workers = 2,
    offset_reset = "latest", commit_interval = "30s", properties = PROPERTIES } })
  local first = trial:come()
  local sent = judge:start_traffic({ rate = 100, keys = 20, event = function() return {} end })
  trial:wait("Q", "the first records", 10000, function()
    return earliest_begun(judge.verdicts, 0) and earliest_begun(judge.verdicts, 1)
  end)
  trial:kill(first)
  trial:pass(200)
  local ends = judge:end_offsets()
  local second = trial:come()
  sent:stop()
  trial:wait("L", "what came since the first began", 10000, function()
    for partition, last in pairs(ends) do
      for offset = earliest_begun(judge.verdicts, partition), last - 1 do
        if not (judge.verdicts.ended[partition] or {})[offset] then
          return false, ("[%d]@%d was never handled"):format(partition, offset)
        end
      end
    end
    return true
  end)
  trial:go(second)
end

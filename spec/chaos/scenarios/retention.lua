-- Members are slower than what comes, and retention removes what they have not read.

local unit = require("unit")

local PARTITIONS = 4
local LEFT = 500
-- What is fetched is not lost, so little is.
local PREFETCH = { ["queued.min.messages"] = 100, ["max.partition.fetch.bytes"] = 16384 }

-- Removes all but the last records of each partition.
local function remove(rig)
  local verdicts = rig.judge.verdicts
  local total = 0
  for partition, last in pairs(rig.judge:end_offsets()) do
    local offset = math.max(0, last - LEFT)
    local first = verdicts:advance(partition)
    verdicts:excuse(partition, first, offset - 1)
    assert(unit.oracle.delete_records(rig.brokers, rig.judge.topic, partition, offset))
    total = total + math.max(0, offset - first)
  end
  rig:fault("retention leaves the last %d of each partition; it passed %d offsets", LEFT, total)
end

-- What members said of jumps, by partition and offset.
local function read_jumps(rig)
  local said, lines, counted = {}, 0, 0
  for _, member in ipairs(rig.members.all) do
    for _, entry in ipairs(member.run:log("were removed by retention")) do
      local partition, first, last = entry.message:match("%[(%d+)%]: offsets (%d+) to (%d+) were")
      partition = math.tointeger(partition)
      said[partition] = said[partition] or {}
      for offset = math.tointeger(first), math.tointeger(last) do
        said[partition][offset] = true
      end
      lines = lines + 1
    end
    counted = counted + member.run:log("^consumer orders: stopped")[1].jumps
  end
  return said, lines, counted
end

local function judge_jumps(rig)
  local said, lines, counted = read_jumps(rig)
  local unhandled, silent = 0, {}
  for partition, ended in pairs(rig.judge.verdicts.ended) do
    for offset, times in pairs(ended) do
      if times == 0 then
        unhandled = unhandled + 1
        if not (said[partition] or {})[offset] then
          table.insert(silent, ("[%d]@%d"):format(partition, offset))
        end
      end
    end
  end
  return #silent == 0 and lines == counted and unhandled > 0,
    ("%d records removed unread, %d of them without a word%s; %d jumps said, %d counted"):format(
      unhandled, #silent, #silent > 0 and ": " .. table.concat(silent, " ", 1,
        math.min(10, #silent)) or "", lines, counted)
end

return {
  says = "retention overtakes members that are too slow, 20 times",
  records = 20000,
  count = 20,
  rate = 2000,
  keys = 1000,
  partitions = PARTITIONS,
  members = 2,
  -- A key's records have holes between them.
  consumer = { distribution = "free_worker", workers = 2, buffer_size = 1,
    window = { records = 100 }, properties = PREFETCH },
  event = function()
    return { block_ms = 4 }
  end,
  faults = function(rig)
    for _ = 1, rig.count do
      rig:pass(rig.dice(2000, 5000))
      remove(rig)
    end
  end,
  checks = { { letter = "J", judge = judge_jumps } },
}

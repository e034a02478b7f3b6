-- A topic on which nine of ten offsets hold no record: what was compacted away, transactions that
-- were rolled back, and the marks of others.

local broker = require("spec.support.broker")
local kcat = require("spec.support.kcat")
local traffic = require("spec.support.oracle_traffic")
local unit = require("unit")

local KEYS, PARTITIONS = 10000, 8
local ROUND = 50
local COMPACTED = { ["cleanup.policy"] = "compact", ["segment.ms"] = 1000,
  ["min.cleanable.dirty.ratio"] = 0.01 }

local function wait_counts(rig, writer, count)
  rig:wait("records to be acknowledged", 30000, function()
    return writer:counts() == count
  end)
end

-- What was written last is in a segment that is not compacted, so something has to be written on.
local function compact(rig)
  local others, writer, left = 0, rig.judge:new_writer(), nil
  rig:wait("the compaction", 120000, function()
    for partition = 0, PARTITIONS - 1 do
      others = others + 1
      traffic.send(writer, rig.judge.topic, "other-" .. others, 1, {}, partition)
    end
    left = #kcat.consume(rig.brokers, rig.judge.topic)
    return left <= KEYS + others, left .. " records are left"
  end)
  rig:say("%d of %d records are left", left, rig.traffic.sent + others)
end

-- Every other transaction is rolled back, also the last one.
local function transact(rig)
  local writer = rig.judge:new_writer({ ["transactional.id"] = broker.unique("writer") })
  assert(writer:init_transactions())
  for round = 1, rig.count do
    local before = writer:counts()
    assert(writer:begin())
    for i = 1, ROUND do
      traffic.send(writer, rig.judge.topic, ("transacted-%d-%d"):format(round, i), 1, {})
    end
    wait_counts(rig, writer, before + ROUND)
    assert(writer[round % 2 == 1 and "commit" or "abort"](writer))
  end
  rig:fault("%d transactions of %d records, every other one rolled back", rig.count, ROUND)
end

local function excuse_holes(rig)
  local held, count = {}, 0
  for _, record in ipairs(kcat.consume(rig.brokers, rig.judge.topic)) do
    held[record.partition] = held[record.partition] or {}
    held[record.partition][record.offset] = true
    count = count + 1
  end
  local total = 0
  for partition, last in pairs(rig.judge:end_offsets()) do
    total = total + last
    for offset = 0, last - 1 do
      if not (held[partition] or {})[offset] then
        rig.judge.verdicts:excuse(partition, offset, offset)
      end
    end
  end
  rig.held = count
  rig:say("%d of %d offsets hold a record", count, total)
end

local function judge_handled(rig)
  local handled = rig.judge.verdicts.handled - rig.judge.verdicts.again
  local jumps = 0
  for _, member in ipairs(rig.members.all) do
    jumps = jumps + #member.run:log("were removed by retention")
  end
  return handled == rig.held and jumps == 0, ("%d of %d records handled; %d times a hole was taken "
    .. "for a loss"):format(handled, rig.held, jumps)
end

return {
  says = "a compacted topic with nine holes in ten, and 200 transactions, half rolled back",
  records = 10 * KEYS,
  count = 200,
  rate = 50000,
  keys = KEYS,
  partitions = PARTITIONS,
  members = 0,
  -- A key's records have holes between them, too.
  consumer = { distribution = "free_worker" },
  event = function()
    return { random_ms = 1 }
  end,
  faults = function(rig)
    assert(unit.oracle.alter_topic(rig.brokers, rig.judge.topic, COMPACTED))
    rig:wait("the records to be sent", 120000, function()
      return rig.traffic.sent >= rig.records
    end)
    rig.traffic:stop()
    compact(rig)
    transact(rig)
    excuse_holes(rig)
    for _ = 1, 2 do
      rig.members:join()
    end
  end,
  checks = { { letter = "H", judge = judge_handled } },
}

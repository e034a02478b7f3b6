-- Far more waits on the topic than one slow worker will ever get through: it must not end up in
-- memory.

local threads = require("spec.support.threads")

local RECORDS = 10000000
local SLOW_MS = 5
-- As the benchmark's records, with what else is in them.
local NOTE = ("note "):rep(28)
local SECOND_MS, MINUTE_S = 1000, 60
-- The program, its libraries and threads, and one Lua state, before there is a record.
local PROGRAM_BYTES = 30 * 1048576

local function mib(bytes)
  return bytes / 1048576
end

-- What the member itself said that it takes at most, at its assignment.
local function budget_of(member)
  local lines = member.run:log("^consumer orders: memory: at most ")
  return lines[#lines].total_bytes
end

local function judge_memory(rig)
  local member = rig.members.all[1]
  local peak, budget = member.peak_bytes, budget_of(member)
  return peak > 0 and peak <= budget + PROGRAM_BYTES, ("at most %.0f MiB resident, %.0f after a "
    .. "minute and %.0f at the end; the budget that it printed is %.0f and %.0f for the program")
    :format(mib(peak), mib(rig.early_bytes), mib(rig.late_bytes), mib(budget), mib(PROGRAM_BYTES))
end

return {
  says = "10,000,000 records wait for one slow worker, which works on them for 1,200 s",
  records = RECORDS,
  seconds = 1200,
  fills = true,
  drains = false,
  keys = 100000,
  members = 1,
  may_repeat = false,
  consumer = { workers = 1, window = { records = 10000 } },
  event = function()
    return { block_ms = SLOW_MS, note = NOTE }
  end,
  faults = function(rig)
    local member = rig.members.all[1]
    for second = 1, rig.lasts_s do
      rig:pass(SECOND_MS)
      rig.late_bytes = threads.resident_bytes(member.pid)
      if second <= MINUTE_S then
        rig.early_bytes = rig.late_bytes
      end
      if second % MINUTE_S == 0 then
        rig:say("%.0f MiB resident, %d handled", mib(rig.late_bytes), rig.judge.verdicts.handled)
      end
    end
  end,
  checks = { { letter = "M", judge = judge_memory } },
}

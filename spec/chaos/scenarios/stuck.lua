-- Members are stopped while a handler hangs in C, where nothing ends it.

local uv = require("luv")

local STOP_MS = 6000
-- What the machine may need on top.
local GRACE_MS = 2000
local UNFINISHED = 5

-- As in the ledger.
local function now_ms()
  local seconds, microseconds = uv.gettimeofday()
  return seconds * 1000 + microseconds // 1000
end

return {
  says = "10 times SIGTERM of a member whose handler hangs: the deadline holds, the exit is 5",
  records = 20000,
  count = 10,
  rate = 300,
  keys = 500,
  members = 2,
  config = { stop_timeout = "6s" },
  consumer = { handler_timeout = "120s" },
  event = function(_, _, rig)
    local hangs = rig.wants_hang
    rig.wants_hang = false
    return hangs and { block_once_ms = 90000 } or { random_ms = 5 }
  end,
  faults = function(rig)
    for _ = 1, rig.count do
      local member
      rig:wait_progress()
      rig.wants_hang = true
      rig:wait("a handler that hangs", 60000, function()
        for _, entry in pairs(rig.judge.verdicts.running) do
          member = rig.members.by_pid[entry.pid]
          if not member.fate and entry.at < now_ms() - 1000 then
            return true
          end
        end
      end)
      member.may_end_with = UNFINISHED
      rig.members:terminate(member)
      rig.members:come()
      rig.members:wait_end(member, STOP_MS + GRACE_MS)
    end
    rig:wait_progress()
  end,
}

-- How many records may be handled again, from what was true when each fault happened.
--
-- A member that loses its partitions without a last commit leaves behind what it handled since the
-- commit before (its rate times the commit interval), what it has read and not settled (the
-- window), and what is settled beyond the oldest that is not.

local uv = require("luv")

local M = {}

---@class spec.Bound
---@field faults integer
---@field rate integer the first part of all of them
---@field window integer
---@field ahead integer
local Bound = {}
Bound.__index = Bound

local SECOND_NS = 1000000000

---@param judge spec.Oracle
---@param window integer records of a member
---@param interval_s number between two commits
---@return spec.Bound
function M.new(judge, window, interval_s)
  return setmetatable({ judge = judge, window_records = window, interval_s = interval_s,
    faults = 0, rate = 0, window = 0, ahead = 0, meters = {} }, Bound)
end

---Looks at how fast each process is; called several times a second.
function Bound:measure()
  local now = uv.hrtime()
  for pid, handled in pairs(self.judge.verdicts.handled_by) do
    local meter = self.meters[pid]
    if not meter then
      meter = { since = now, handled = 0, peak = 0 }
      self.meters[pid] = meter
    end
    -- Never a rate below what it did in the second that is not over.
    meter.peak = math.max(meter.peak, handled - meter.handled)
    if now - meter.since >= SECOND_NS then
      meter.since, meter.handled = now, handled
    end
  end
end

local function ahead_of_all(judge)
  local ahead = 0
  for partition = 0, judge.partitions - 1 do
    ahead = ahead + judge.verdicts:ahead(partition)
  end
  return ahead
end

---Partitions move from these processes. Whoever shares the group may have to hand over its own,
---so what is completed ahead counts in all partitions, and each member's window.
---@param pids integer[] those that commit nothing any more
---@param members integer how many there are
function Bound:add(pids, members)
  self.judge:sample(true)
  self:measure()
  for _, pid in ipairs(pids) do
    local meter = self.meters[pid]
    self.rate = self.rate + math.ceil((meter and meter.peak or 0) * self.interval_s)
  end
  self.faults = self.faults + 1
  self.window = self.window + self.window_records * members
  self.ahead = self.ahead + ahead_of_all(self.judge)
end

---@return integer
function Bound:total()
  return self.rate + self.window + self.ahead
end

return M

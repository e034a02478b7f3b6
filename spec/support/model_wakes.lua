-- Who has to be woken when: the other half of the model, over idle workers and main's needs.

local check = require("spec.support.model").check

local M = {}

---@class spec.WakeModel
local WakeModel = {}
WakeModel.__index = WakeModel

---@param records spec.Model
---@param cpus integer how many brisk workers are enough
---@param pace integer records from tick to tick that make one brisk
---@return spec.WakeModel
function M.new(records, cpus, pace)
  return setmetatable({
    records = records,
    cpus = cpus,
    pace = pace,
    taken = {}, -- by worker: records since the last tick, and since a handler of its waited
    brisk = {}, -- workers that are, since the last tick
    very_brisk = {}, -- those that count for two
    is_sparing = false,
    up = {}, -- workers whose last take found a record
    idle = {}, -- a stack of workers
    woken = nil, -- the worker that has not answered its wake yet
    need = "nothing",
    low_water = 0,
    seen = { wakes = 0, main = 0, parked = 0, spared = 0 },
  }, WakeModel)
end

local function count(set)
  local members = 0
  for _ in pairs(set) do
    members = members + 1
  end
  return members
end

local function briskness(self)
  return count(self.brisk) + count(self.very_brisk)
end

---The worker is up.
function WakeModel:answer(worker)
  self.up[worker] = nil
  if self.woken == worker then
    self.woken = nil
  end
  for i = #self.idle, 1, -1 do
    if self.idle[i] == worker then
      table.remove(self.idle, i)
    end
  end
end

---The worker, which has answered, may take something; false: it is one too many.
---@return boolean
function WakeModel:begin(worker)
  self.taken[worker] = (self.taken[worker] or 0) + 1
  if self.brisk[worker] then
    self.very_brisk[worker] = self.very_brisk[worker] or self.taken[worker] >= 4 * self.pace or nil
  elseif self.taken[worker] >= self.pace then
    if briskness(self) < self.cpus then
      self.brisk[worker] = true
    elseif count(self.up) >= self.cpus then
      self.taken[worker], self.is_sparing = 0, true
      self.seen.parked = self.seen.parked + 1
      return false
    end
  end
  self.up[worker] = true
  return true
end

---A handler of the worker waits.
function WakeModel:wait(worker)
  self.taken[worker] = 0
end

function WakeModel:tick()
  if self.records:has_backlog() then
    self.is_sparing = briskness(self) >= self.cpus
  end
  self.taken, self.brisk, self.very_brisk = {}, {}, {}
end

-- As many are up as there are CPUs, and that was enough.
local function is_spared(self)
  return self.is_sparing and count(self.up) >= self.cpus
end

---The worker found nothing.
function WakeModel:sleep(worker)
  table.insert(self.idle, worker)
end

---@return boolean
function WakeModel:is_awake(worker)
  for _, idle in ipairs(self.idle) do
    if idle == worker then
      return false
    end
  end
  return true
end

-- No wake is lost: whoever is woken was the last to sleep, and with backlog somebody is, or is
-- spared until the next tick.
local function check_workers(self, worker, second)
  check(not second, "two workers were woken at once")
  if worker then
    check(not self.woken, "worker %d was woken during the wake of another", worker)
    check(not is_spared(self), "worker %d was woken, though it is spared", worker)
    check(table.remove(self.idle) == worker, "worker %d was not the last to sleep", worker)
    self.woken = worker
    self.seen.wakes = self.seen.wakes + 1
  elseif #self.idle > 0 and not self.woken and self.records:has_backlog() then
    check(is_spared(self), "there is backlog, an idle worker, and no wake under way")
    self.seen.spared = self.seen.spared + 1
  end
end

---What has ended is what main sleeps for.
---@return boolean
function WakeModel:is_due()
  local ended = self.records.ended
  return ended > 0 and self.need ~= "nothing"
    and (self.need == "every" or ended >= self.low_water or not self.records:has_backlog())
end

---@param has_finished boolean whether a record ended by what was done
---@param main_wakes integer how often that woke main
---@param worker? integer whom it woke
---@param second? integer whom else
function WakeModel:check(has_finished, main_wakes, worker, second)
  check_workers(self, worker, second)
  local is_due = has_finished and self:is_due()
  check(main_wakes == (is_due and 1 or 0), "main was woken %d times", main_wakes)
  if is_due then
    self.seen.main = self.seen.main + 1
  end
  if is_due and self.need == "room" then
    self.need = "nothing"
  end
end

return M

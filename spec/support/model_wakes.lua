-- Who has to be woken when: the other half of the model, over idle workers and main's needs.

local check = require("spec.support.model").check

local M = {}

---@class spec.WakeModel
local WakeModel = {}
WakeModel.__index = WakeModel

---@param records spec.Model
---@return spec.WakeModel
function M.new(records)
  return setmetatable({
    records = records,
    idle = {}, -- a stack of workers
    woken = nil, -- the worker that has not answered its wake yet
    need = "nothing",
    low_water = 0,
    seen = { wakes = 0, main = 0 },
  }, WakeModel)
end

---The worker is up.
function WakeModel:answer(worker)
  if self.woken == worker then
    self.woken = nil
  end
  for i = #self.idle, 1, -1 do
    if self.idle[i] == worker then
      table.remove(self.idle, i)
    end
  end
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

---No wake is lost: whoever is woken was the last to sleep, and with backlog somebody is.
local function check_workers(self, worker, second)
  check(not second, "two workers were woken at once")
  if worker then
    check(not self.woken, "worker %d was woken during the wake of another", worker)
    check(table.remove(self.idle) == worker, "worker %d was not the last to sleep", worker)
    self.woken = worker
    self.seen.wakes = self.seen.wakes + 1
  elseif #self.idle > 0 and not self.woken then
    check(not self.records:has_backlog(), "there is backlog, an idle worker, and no wake under way")
  end
end

---@param has_finished boolean whether a record ended by what was done
---@param main_wakes integer how often that woke main
---@param worker? integer whom it woke
---@param second? integer whom else
function WakeModel:check(has_finished, main_wakes, worker, second)
  check_workers(self, worker, second)
  local is_due = false
  if has_finished and self.need ~= "nothing" then
    is_due = self.need == "every" or self.records.ended >= self.low_water
      or not self.records:has_backlog()
  end
  check(main_wakes == (is_due and 1 or 0), "main was woken %d times", main_wakes)
  if is_due then
    self.seen.main = self.seen.main + 1
  end
  if is_due and self.need == "room" then
    self.need = "nothing"
  end
end

return M

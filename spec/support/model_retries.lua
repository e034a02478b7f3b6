-- What waits for its next run, and who is next: the model's fourth part.

local check = require("spec.support.model").check

local M = {}

---@class spec.RetriesModel
local RetriesModel = {}
RetriesModel.__index = RetriesModel

---@return spec.RetriesModel
function M.new()
  return setmetatable({ waiting = {}, now = 0, seen = { parked = 0, unparked = 0 } }, RetriesModel)
end

function RetriesModel:add(rec, due)
  rec.due = due
  table.insert(self.waiting, rec)
  self.seen.parked = self.seen.parked + 1
end

---The record is given back or done with.
function RetriesModel:remove(rec)
  for i, other in ipairs(self.waiting) do
    if other == rec then
      table.remove(self.waiting, i)
      self.seen.unparked = self.seen.unparked + 1
      return
    end
  end
end

---The schedule gave this record, or none.
function RetriesModel:pop(rec)
  local first
  for _, other in ipairs(self.waiting) do
    if other.due <= self.now and (not first or other.due < first.due) then
      first = other
    end
  end
  check(rec == first, "record %d is due, but %d comes", first and first.id or 0,
    rec and rec.id or 0)
  if rec then
    check(rec.state == "kept", "record %d waited for its retry, but is %s", rec.id, rec.state)
    self:remove(rec)
    self.seen.unparked = self.seen.unparked - 1
  end
end

return M

-- What may be committed of one partition: the model's third part, over settled records and commits.

local check = require("spec.support.model").check

local M = {}

---@class spec.OffsetsModel
local OffsetsModel = {}
OffsetsModel.__index = OffsetsModel

---@param log table[] what the broker has: {offset, key} in order
---@return spec.OffsetsModel
function M.new(log)
  return setmetatable({
    log = log,
    ever_settled = {}, -- by offset, in any epoch
    proved = 1, -- the log before this was settled
    committed = 0, -- what the broker has
  }, OffsetsModel)
end

---@param delivered table[] records of the new epoch, which main adds to
function OffsetsModel:assign(delivered)
  self.delivered, self.oldest, self.position = delivered, 1, self.committed
end

---Compares with what the tracker says.
function OffsetsModel:settle(rec, tracker)
  rec.is_settled, self.ever_settled[rec.offset] = true, true
  while self.delivered[self.oldest] and self.delivered[self.oldest].is_settled do
    self.position = self.delivered[self.oldest].offset + 1
    self.oldest = self.oldest + 1
  end
  local oldest = self.delivered[self.oldest]
  check(tracker:position() == self.position, "the position is %d", tracker:position())
  check(tracker:oldest() == (oldest and oldest.offset or -1), "the oldest is %d", tracker:oldest())
end

---All before this is known to be read: moves the position when nothing is unsettled.
function OffsetsModel:skip(position, tracker)
  if not self.delivered[self.oldest] then
    self.position = math.max(self.position, position)
  end
  check(tracker:position() == self.position, "the position is %d", tracker:position())
end

---The broker accepts a commit.
function OffsetsModel:commit(position, tracker)
  check(position >= self.committed, "the commit goes back to %d", position)
  check(tracker:committed() <= tracker:position(), "more is committed than settled")
  while self.log[self.proved] and self.log[self.proved].offset < position do
    local offset = self.log[self.proved].offset
    check(self.ever_settled[offset], "%d is committed past offset %d", position, offset)
    self.proved = self.proved + 1
  end
  self.committed = position
end

---The broker's log has lost its end, and goes on differently.
function OffsetsModel:truncate(offset)
  while #self.log > 0 and self.log[#self.log].offset >= offset do
    self.log[#self.log] = nil
  end
  for settled in pairs(self.ever_settled) do
    if settled >= offset then
      self.ever_settled[settled] = nil
    end
  end
  self.proved = math.min(self.proved, #self.log + 1)
  self.committed = math.min(self.committed, offset)
end

return M

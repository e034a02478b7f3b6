-- What one waits for under an oracle, which looks on meanwhile.

local wait = require("spec.support.wait")

---@class spec.OracleWaits
local Waits = {}

---Waits for the condition, with a sample every 100 ms.
---@param what string
---@param deadline_ms integer
---@param condition fun(): any, ...
function Waits:wait(what, deadline_ms, condition)
  return wait.till(what, deadline_ms, function()
    self:sample()
    return condition()
  end)
end

---Waits until every record on the topic has been handled.
---@param deadline_ms integer
function Waits:wait_handled(deadline_ms)
  local ends = self:end_offsets()
  self:wait("all records to be handled", deadline_ms, function()
    self.verdicts:read()
    local missing = self.verdicts:missing(ends)
    return #missing == 0, ("%d are missing: %s"):format(#missing,
      table.concat(missing, " ", 1, math.min(10, #missing)))
  end)
end

---Whether something that was sent after this call has been handled in every partition.
---@return fun(): boolean, string? is_so of which one it is not
function Waits:progress()
  local from = self:end_offsets()
  return function()
    for partition, offset in pairs(from) do
      if (self.verdicts.last[partition] or -1) < offset then
        return false, "none in partition " .. partition
      end
    end
    return true
  end
end

---Waits until something that was sent after this moment has been handled in every partition.
---@param what string
---@param deadline_ms integer
function Waits:wait_progress(what, deadline_ms)
  self:wait("progress " .. what, deadline_ms, self:progress())
end

---Waits until the committed offsets are the end offsets.
---@param deadline_ms integer
function Waits:wait_committed(deadline_ms)
  local ends = self:end_offsets()
  self:wait("all records to be committed", deadline_ms, function()
    local committed = self:sample(true) or {}
    for partition, offset in pairs(ends) do
      if (committed[partition] or 0) ~= offset then
        return false, ("partition %d: %s of %d"):format(partition, committed[partition], offset)
      end
    end
    return true
  end)
end

return Waits

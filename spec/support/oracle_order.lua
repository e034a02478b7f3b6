-- Whether the records of a key, as a ledger shows them, follow each other in every process, and
-- whether processes get in each other's way.

local M = {}

---@class spec.Order
---@field on_wrong fun(sentence: string)
---@field on_overlap? fun(entry: spec.LedgerEntry, other: spec.LedgerEntry) a record began while
--- one of its key, or itself, runs in another process: what a lost assignment or an exhausted drain
--- leaves behind, or a fault
---@field on_skip? fun(entry: spec.LedgerEntry, last: spec.LedgerEntry) a process went on behind the
--- record that follows its last one: a fault, unless it did that one after it lost its partition
---@field keys table<string, integer> the highest number that ended
local Order = {}
Order.__index = Order

---@param is_ordered boolean by key; otherwise only a record is in its own way
---@param on_wrong fun(sentence: string)
---@return spec.Order
function M.new(is_ordered, on_wrong)
  return setmetatable({
    is_ordered = is_ordered,
    on_wrong = on_wrong,
    keys = {},
    ends = {}, -- [key]: the entry that ended last
    busy = {}, -- [key or place]: the entry that began last, while it runs
    busy_here = {}, -- ["pid key"]: the same in a process
  }, Order)
end

---A record and its process, for people.
---@param entry spec.LedgerEntry
---@return string
function M.name(entry)
  return ("[%d]@%d (key %s, process %d)"):format(entry.partition, entry.offset, entry.key,
    entry.pid)
end

-- What two records may not do at once: nil when nothing stands in the way of the entry.
local function lane_of(self, entry)
  if self.is_ordered and entry.number > 0 then
    return entry.key
  end
  return entry.partition << 48 | entry.offset
end

-- The next one is known or follows what is. In a process it follows what that did last with the
-- key, when nobody else did anything since: else it left one out that was given to it again.
function Order:judge_number(entry)
  local known = self.keys[entry.key] or 0
  if entry.number > known + 1 then
    self.on_wrong(("%s began as number %d of its key after number %d"):format(M.name(entry),
      entry.number, known))
    return
  end
  local last = self.ends[entry.key]
  if self.on_skip and last and last.pid == entry.pid and entry.number > last.number + 1 then
    self.on_skip(entry, last)
  end
end

---@param entry spec.LedgerEntry
function Order:begin(entry)
  local lane = lane_of(self, entry)
  local other = self.busy[lane]
  if other and other.pid ~= entry.pid and self.on_overlap then
    self.on_overlap(entry, other)
  end
  self.busy[lane] = entry
  entry.after = self.ends[entry.key]
  if lane ~= entry.key then
    return
  end
  local here = entry.pid .. " " .. entry.key
  if self.busy_here[here] then
    self.on_wrong(("%s began while %s of its key was running"):format(M.name(entry),
      M.name(self.busy_here[here])))
  end
  self.busy_here[here] = entry
  self:judge_number(entry)
end

---It runs no more, however that came.
---@param entry spec.LedgerEntry
function Order:leave(entry)
  local lane = lane_of(self, entry)
  local busy = self.busy[lane]
  if busy and busy.pid == entry.pid then
    self.busy[lane] = nil
  end
  if lane == entry.key then
    self.busy_here[entry.pid .. " " .. entry.key] = nil
  end
end

---@param entry spec.LedgerEntry what it was when it began
function Order:finish(entry)
  self:leave(entry)
  if not self.is_ordered or entry.number == 0 then
    return
  end
  local key = entry.key
  self.keys[key] = math.max(self.keys[key] or 0, entry.number)
  -- What another process did with the key meanwhile is further: this one is a leftover.
  if self.ends[key] == entry.after then
    self.ends[key] = entry
  end
  entry.after = nil
end

return M

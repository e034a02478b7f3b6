-- Which offsets of each partition began and ended, and how often.

---@class spec.Tally
---@field begun table<integer, table<integer, integer>> [partition][offset]: times
---@field ended table<integer, table<integer, integer>>
---@field last table<integer, integer> [partition]: the highest offset that ended
---@field safe table<integer, integer> [partition]: all before this offset have ended
local Tally = {}

function Tally:start_tally()
  self.begun, self.ended, self.last, self.safe = {}, {}, {}, {}
end

---@param counts table<integer, table<integer, integer>> begun or ended
---@return integer times
function Tally.count(counts, partition, offset)
  local of_partition = counts[partition]
  if not of_partition then
    of_partition = {}
    counts[partition] = of_partition
  end
  local times = (of_partition[offset] or 0) + 1
  of_partition[offset] = times
  return times
end

---@param entry spec.LedgerEntry
---@return boolean
function Tally:has_ended(entry)
  local ended = self.ended[entry.partition]
  return ended ~= nil and ended[entry.offset] ~= nil
end

---The first offset from `safe` on that has not ended.
---@param partition integer
---@param limit? integer no further than this
---@return integer
function Tally:advance(partition, limit)
  local ended = self.ended[partition] or {}
  local safe = self.safe[partition] or 0
  while (not limit or safe < limit) and ended[safe] do
    safe = safe + 1
  end
  self.safe[partition] = safe
  return safe
end

---How many records of a partition ended beyond the oldest that has not.
---@param partition integer
---@return integer
function Tally:ahead(partition)
  local ended, ahead = self.ended[partition] or {}, 0
  for offset = self:advance(partition), self.last[partition] or -1 do
    ahead = ahead + (ended[offset] and 1 or 0)
  end
  return ahead
end

---These offsets hold nothing that has to be handled; if it is, that is not another time.
---@param partition integer
---@param first integer
---@param last integer
function Tally:excuse(partition, first, last)
  local ended = self.ended[partition] or {}
  self.ended[partition] = ended
  for offset = first, last do
    ended[offset] = ended[offset] or 0
  end
end

---@param ends table<integer, integer> the offset after the last record, by partition
---@return string[] "[partition]@offset" of those that never ended
function Tally:missing(ends)
  local missing = {}
  for partition, offset in pairs(ends) do
    local ended = self.ended[partition] or {}
    for i = 0, offset - 1 do
      if not ended[i] then
        table.insert(missing, ("[%d]@%d"):format(partition, i))
      end
    end
  end
  return missing
end

---@param counts "begun"|"ended"
---@return integer records for which that happened more than once
function Tally:repeated(counts)
  local repeated = 0
  for _, of_partition in pairs(self[counts]) do
    for _, times in pairs(of_partition) do
      repeated = repeated + (times > 1 and 1 or 0)
    end
  end
  return repeated
end

return Tally

-- Records by their places: which are missing, and a few of them for people to read.

local M = {}

local MAX_SHOWN = 20

---@class spec.Places: string[] the first of them
---@field count integer of all

---": [0]@1 [0]@2 and 3 more", or nothing.
---@param places string[]|spec.Places
---@return string
function M.list_of(places)
  if #places == 0 then
    return ""
  end
  local count, shown = places.count or #places, math.min(#places, MAX_SHOWN)
  local text = ": " .. table.concat(places, " ", 1, shown)
  return count > shown and ("%s and %d more"):format(text, count - shown) or text
end

-- Of millions that were not handled only the first are kept.
local function add(places, partition, offset)
  places.count = places.count + 1
  if #places < MAX_SHOWN then
    table.insert(places, ("[%d]@%d"):format(partition, offset))
  end
end

---What is missing below what is committed will never come; the rest was not handled in time.
---@param rig spec.Rig
---@return spec.Places lost, spec.Places late, integer total
function M.split_missing(rig)
  local verdicts = rig.judge.verdicts
  local ends = rig.ends or rig.judge:end_offsets()
  local lost, late, total = { count = 0 }, { count = 0 }, 0
  for partition, offset in pairs(ends) do
    local committed = verdicts.committed[partition] or 0
    local ended = verdicts.ended[partition] or {}
    total = total + offset
    for i = 0, offset - 1 do
      if not ended[i] then
        add(i < committed and lost or late, partition, i)
      end
    end
  end
  return lost, late, total
end

return M

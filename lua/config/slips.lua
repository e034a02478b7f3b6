-- Slips among names that may also be right: `ordres` beside a declared `orders`. Two names are
-- alike when taking one letter out of either makes them equal, which an index of shortened names
-- finds without comparing each with each.

local M = {}

local SHORTEST, LONGEST = 4, 249

---@class lagoon.config.Slips
---@field names table<string, string> shortened and whole names to the name
local Slips = {}
Slips.__index = Slips

local function shortened(name)
  local list = { name }
  for i = 1, #name do
    list[i + 1] = name:sub(1, i - 1) .. name:sub(i + 1)
  end
  return list
end

local function without_digits(name)
  return (name:gsub("%d+", "0"))
end

---@param name string
function Slips:add(name)
  if #name >= SHORTEST and #name <= LONGEST then
    for _, key in ipairs(shortened(name)) do
      self.names[key] = self.names[key] or name
    end
  end
end

---@param name string that is none of the added ones
---@return string? # the one that it may be a slip of; not another of a numbered row
function Slips:find(name)
  if #name < SHORTEST or #name > LONGEST then
    return nil
  end
  for _, key in ipairs(shortened(name)) do
    local found = self.names[key]
    if found and without_digits(found) ~= without_digits(name) then
      return found
    end
  end
end

---@return lagoon.config.Slips
function M.new()
  return setmetatable({ names = {} }, Slips)
end

return M

-- Every value of a config with its path, so that two readings of it can be compared key by key.

local M = {}

local function is_leaf(value)
  return type(value) ~= "table"
end

-- Of an item of a list: an item of a map has a name, another its number.
local function item_path(path, item, index)
  if type(item) == "table" and type(item.name) == "string" then
    return path .. "." .. item.name
  end
  return ("%s[%d]"):format(path, index)
end

local function add(lines, path, value)
  if is_leaf(value) then
    table.insert(lines, ("%s\n%s"):format(path, tostring(value)))
    return
  elseif value.value ~= nil and value.place then
    return add(lines, path, value.value)
  end
  for key, inner in pairs(value) do
    if math.type(key) == "integer" then
      add(lines, item_path(path, inner, key), inner)
    elseif key ~= "place" and key ~= "name" then
      add(lines, path .. "." .. key, inner)
    end
  end
end

---@param config table as lagoon.config.check gives it
---@return string[] # a path and a value each, on lines of their own; sorted
function M.list(config)
  local lines = {}
  for key, value in pairs(config) do
    -- A single `cluster` stands among the clusters, too.
    if key ~= "place" and not (key == "clusters" and config.cluster) then
      add(lines, key, value)
    end
  end
  table.sort(lines)
  return lines
end

return M

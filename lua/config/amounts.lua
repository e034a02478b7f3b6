-- Numbers, durations and sizes, with their limits.

local M = {}

local SIZES = { [""] = 1, KiB = 1024, MiB = 1024 ^ 2, GiB = 1024 ^ 3 }

-- From the row's limits, which are written as a user would.
local function range(row)
  if row.min and row.max then
    return (" from %s to %s"):format(row.min, row.max)
  end
  return row.min and " of at least " .. row.min or ""
end

local function is_outside(number, lowest, highest)
  return lowest and number < lowest or highest and number > highest
end

function M.integer(value, row)
  if value == false and row.optional then
    return false
  end
  local integer = type(value) == "number" and math.tointeger(value)
  if not integer or is_outside(integer, row.min, row.max) then
    return nil, "must be an integer" .. range(row)
  end
  return integer
end

local function milliseconds(value, natives)
  if type(value) == "string" or type(value) == "number" then
    return natives.duration(value)
  end
end

function M.duration(value, row, natives)
  if value == false and row.optional then
    return false
  end
  local duration = milliseconds(value, natives)
  if not duration then
    return nil, 'must be a duration such as "250ms", "30s" or "5m"'
      .. (row.optional and ", or false for none" or "")
  elseif is_outside(duration, natives.duration(row.min), natives.duration(row.max)) then
    return nil, "must be a duration" .. range(row)
  end
  return duration
end

local function bytes(value)
  if type(value) ~= "string" then
    return math.type(value) and math.tointeger(value)
  end
  local amount, unit = value:match("^(%d+%.?%d*)(%a*)$")
  return amount and SIZES[unit] and math.tointeger(amount * SIZES[unit])
end

-- "64MB", "64 mib" and the like.
local function meant_size(value)
  local amount, unit = tostring(value):match("^(%d+)%s*([kKmMgG])[iI]?[bB]?$")
  return amount and amount .. unit:upper() .. "iB"
end

function M.size(value, row)
  local size = bytes(value)
  if not size then
    return nil, 'must be a size such as "64MiB", or a number of bytes', meant_size(value)
  elseif is_outside(size, bytes(row.min), bytes(row.max)) then
    return nil, "must be a size" .. range(row)
  end
  return size
end

return M

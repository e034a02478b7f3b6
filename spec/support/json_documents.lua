-- Random JSON documents: a value, and a text of it written without the codec under test, with
-- whatever white space, escapes and number forms the grammar allows.

local json = require("unit").json

local M = {}

local random = math.random

local EDGES = {
  0, 1, -1, 9, 10, -10, 99, 100, 2 ^ 31 // 1 | 0, 2 ^ 53 // 1 | 0, (2 ^ 53 // 1 | 0) + 1,
  -(2 ^ 53 // 1 | 0) - 1, 10 ^ 15 // 1 | 0, 10 ^ 18 // 1 | 0, math.maxinteger,
  math.maxinteger - 1, math.mininteger, math.mininteger + 1,
}

local function integer()
  if random(3) == 1 then
    return EDGES[random(#EDGES)]
  end
  return random(0) >> random(0, 63)
end

local function float_of_bits()
  local value
  repeat
    value = string.unpack("<d", string.pack("<i8", random(0)))
  until value == value and math.abs(value) < math.huge
  return value
end

local FLOATS = {
  float_of_bits,
  function() return random() end,
  function() return random(0, 10 ^ 9 // 1 | 0) / 100 end,
  function() return random(1, 9999) * 10.0 ^ random(-330, 300) end,
  function() return random(0, 1000) * 4.9406564584124654e-324 end,
  function() return 2.0 ^ random(-1074, 1023) end,
  function() return -0.0 end,
}

local function float()
  return FLOATS[random(#FLOATS)]()
end

local function character()
  local kind = random(8)
  if kind <= 4 then
    return random(0x20, 0x7e)
  elseif kind == 5 then
    return random(0, 0x1f)
  elseif kind == 6 then
    return random(0x7f, 0x7ff)
  elseif kind == 7 then
    return random(2) == 1 and random(0x800, 0xd7ff) or random(0xe000, 0xffff)
  end
  return random(0x10000, 0x10ffff)
end

local LETTERS = {
  [8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r",
  [34] = '\\"', [47] = "\\/", [92] = "\\\\",
}

local function escaped(code)
  if code >= 0x10000 then
    local rest = code - 0x10000
    return ("\\u%04X\\u%04x"):format(0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff))
  elseif LETTERS[code] and random(3) > 1 then
    return LETTERS[code]
  end
  return (random(2) == 1 and "\\u%04x" or "\\u%04X"):format(code)
end

---@return string value
---@return string text
local function string_value()
  local value, text = {}, {}
  local is_plain = random(2) == 1
  for i = 1, random(10) == 1 and random(0, 100) or random(0, 12) do
    local code = is_plain and random(0x61, 0x7a) or character()
    local needs_escape = code < 0x20 or code == 0x22 or code == 0x5c
    value[i] = utf8.char(code)
    text[i] = (needs_escape or random(12) == 1) and escaped(code) or value[i]
  end
  return table.concat(value), '"' .. table.concat(text) .. '"'
end

local function float_text(value)
  local text = ("%.17g"):format(value)
  if not text:find("[.e]") then
    text = text .. (random(2) == 1 and ".0" or "e0")
  end
  return random(2) == 1 and text:upper() or text
end

local SCALARS = {
  function() local value = integer() return value, ("%d"):format(value) end,
  function() local value = float() return value, float_text(value) end,
  string_value,
  string_value,
  function() return true, "true" end,
  function() return false, "false" end,
  function() return json.null, "null" end,
}

local SPACES = { "", "", "", "", " ", "\n", "\t", "\r\n  " }

local function space()
  return SPACES[random(#SPACES)]
end

local document

---How many, and how deep each may be: long ones are flat.
local function size(depth, least_long, most_long)
  if random(40) == 1 then
    return random(least_long, most_long), 0
  end
  return random(0, 5), depth - 1
end

local function array(depth)
  local value, text = {}, {}
  local count, item_depth = size(depth, 60, 130)
  for i = 1, count do
    local item
    value[i], item = document(item_depth)
    text[i] = space() .. item .. space()
  end
  json.mark(value)
  return value, "[" .. (text[1] and table.concat(text, ",") or space()) .. "]"
end

local function object(depth)
  local value, text = {}, {}
  local count, member_depth = size(depth, 28, 70)
  for i = 1, count do
    local key, key_text = string_value()
    local member_text
    value[key], member_text = document(member_depth)
    text[i] = space() .. key_text .. space() .. ":" .. space() .. member_text .. space()
  end
  return value, "{" .. (text[1] and table.concat(text, ",") or space()) .. "}"
end

---@param depth integer so many levels at most
---@return any value
---@return string text
function document(depth)
  if depth == 0 or random(4) > 2 then
    return SCALARS[random(#SCALARS)]()
  elseif random(2) == 1 then
    return array(depth)
  end
  return object(depth)
end

---Levels around a document, each with nothing else in it.
local function wrap(value, text, levels)
  for _ = 1, levels do
    if random(2) == 1 then
      value, text = { value }, "[" .. text .. "]"
      json.mark(value)
    else
      value, text = { nested = value }, '{"nested":' .. text .. "}"
    end
  end
  return value, text
end

---The next one; math.randomseed decides which.
---@return any value
---@return string text
function M.next()
  local value, text = document(5)
  if random(20) == 1 then
    value, text = wrap(value, text, random(1, 123))
  end
  return value, space() .. text .. space()
end

return M

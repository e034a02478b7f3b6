-- The tokens of a Lua source that compiles, with their lines.

---@class lagoon.config.Token
---@field kind "name"|"word"|"string"|"number"|"sign"
---@field text string
---@field line integer
---@field value any of a string or number

local M = {}

local WORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch("%a+") do
  WORDS[word] = true
end

-- The end of [[...]] or [=[...]=] that begins at `at`; nil when none does.
local function long_bracket(source, at)
  local level = source:match("^%[(=*)%[", at)
  if not level then
    return nil
  end
  local _, last = source:find("]" .. level .. "]", at, true)
  return last
end

local function short_string(source, at)
  local quote = source:sub(at, at)
  local last = at + 1
  while source:sub(last, last) ~= quote do
    -- An escaped line end may be two characters and \z skips white space: none of it is a quote.
    last = last + (source:sub(last, last) == "\\" and 2 or 1)
  end
  return last
end

local function comment(source, at)
  local last = long_bracket(source, at + 2)
  return last or (source:find("\n", at, true) or #source + 1) - 1
end

-- Lua itself knows best what its literals mean.
local function literal(text)
  return load("return " .. text, "=literal", "t", {})()
end

local function next_token(source, at)
  local long = long_bracket(source, at)
  local character = source:sub(at, at)
  if long then
    return "string", long
  elseif character == '"' or character == "'" then
    return "string", short_string(source, at)
  elseif character:find("%d") then
    local _, last = source:find("^[%w_.]+", at)
    return "number", last
  elseif character:find("[%a_]") then
    local _, last = source:find("^[%w_]+", at)
    return WORDS[source:sub(at, last)] and "word" or "name", last
  end
  local _, last = source:find("^[=~<>]=", at)
  return "sign", last or at
end

---@param source string
---@return lagoon.config.Token[]
function M.read(source)
  local list, at, line = {}, 1, 1
  while at <= #source do
    local kind
    local _, last = source:find("^%s+", at)
    if not last and source:sub(at, at + 1) == "--" then
      last = comment(source, at)
    elseif not last then
      kind, last = next_token(source, at)
    end
    local text = source:sub(at, last)
    if kind then
      local has_value = kind == "string" or kind == "number" and tonumber(text)
      table.insert(list, {
        kind = kind, text = text, line = line, value = has_value and literal(text) or nil,
      })
    end
    line = line + select(2, text:gsub("\n", "\n"))
    at = last + 1
  end
  return list
end

return M

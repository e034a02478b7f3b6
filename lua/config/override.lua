-- --set PATH=VALUE: one value of the config, from the command line. The tables on the way are
-- copied, for a config may use one in several places.

local lines = require("lagoon.config.lines")
local security = require("lagoon.config.security")
local words = require("lagoon.config.words")

local M = {}

local LITERALS = { ["true"] = true, ["false"] = true, ["nil"] = true }

---@class lagoon.config.Setting
---@field keys any[]
---@field text string the value

-- A key at the place and what is behind it: name, ["any name"], [2].
local function next_key(text, at)
  local name, last = text:match("^([%a_][%w_-]*)()", at)
  if name then
    return name, last
  end
  local quote, quoted, behind = text:match("^%[([\"'])(.-)%1%]()", at)
  if quote then
    return quoted, behind
  end
  local index, after = text:match("^%[(%d+)%]()", at)
  return index and math.tointeger(tonumber(index)), after
end

---@param text string PATH=VALUE
---@return lagoon.config.Setting? # nil when it is none
function M.parse(text)
  local keys, at = {}, 1
  repeat
    local key, last = next_key(text, at)
    if key == nil then
      return nil
    end
    table.insert(keys, key)
    local separator = text:sub(last, last)
    at = separator == "." and last + 1 or last
    if separator == "=" then
      return { keys = keys, text = text:sub(last + 1) }
    end
  until separator ~= "." and separator ~= "["
  return nil
end

-- A literal of Lua, else the text as it is.
local function value_of(text)
  local is_table = text:find("^%s*{") ~= nil
  if is_table or LITERALS[text] or tonumber(text) or text:find("^[\"'].*[\"']$") then
    local chunk, message = load("return " .. text, "=value", "t", {})
    local ok, value = pcall(chunk or error, message)
    if not ok and is_table then
      return nil, (tostring(value):gsub("^value:%d+: ", ""))
    end
    return (not ok) and text or value
  end
  return text
end

local function path_of(keys, count)
  local path = ""
  for i = 1, count or #keys do
    path = words.path(path, keys[i])
  end
  return path
end

-- A copy that may be changed, known to stand where the original stands.
local function copy(report, original, entry)
  local result, entries = {}, {}
  for key, value in pairs(original) do
    result[key] = value
  end
  for key, inner in pairs(entry.body and entry.body.entries or {}) do
    entries[key] = inner
  end
  local body = { entries = entries, doubles = entry.body and entry.body.doubles or {} }
  report.origins[result] = { file = entry.file, line = entry.line, body = body }
  return result
end

local function is_replaceable(value)
  return value == nil or type(value) == "boolean"
end

-- `given` with the value at keys[depth] and what follows.
local function set(report, given, entry, setting, depth)
  local key = setting.keys[depth]
  local result = copy(report, given, report.origins[given] or entry)
  local own = report.origins[result]
  if depth == #setting.keys then
    result[key] = setting.value
    own.body.entries[key] = setting.entry
    return result
  end
  local inner = result[key]
  if is_replaceable(inner) then
    inner = {}
    own.body.entries[key] = setting.entry
  elseif type(inner) ~= "table" then
    report:problem(setting.entry, nil, ("%s is a %s, which has no keys")
      :format(path_of(setting.keys, depth), type(inner)))
    return given
  end
  result[key] = set(report, inner, lines.child(own, key), setting, depth + 1)
  return result
end

local function apply(report, value, entry, text, order)
  local setting = M.parse(text)
  security.source(text, report)
  if setting and tostring(setting.keys[#setting.keys]):find("[Pp]assword$") then
    report:add_secret(setting.text)
  end
  local shown = setting and path_of(setting.keys) or text:match("^[%w_.%-]*")
  local file = { path = "--set " .. shown, set = shown, directory = ".", order = order }
  local at = { file = file }
  if not setting then
    report:problem(at, nil, "must be PATH=VALUE, such as log.level=debug")
    return value
  end
  local given, problem = value_of(setting.text)
  if problem then
    report:problem(at, nil, "is no table that Lua can read: " .. problem)
    return value
  end
  setting.value = given
  setting.entry = { file = file, raw = type(given) ~= "table" and setting.text or nil }
  return set(report, value, entry, setting, 1)
end

---@param value table what the file returned
---@param entry lagoon.config.Entry where it stands
---@param sets string[] in the order of the command line
---@param report lagoon.config.Report
---@return table
function M.apply(value, entry, sets, report)
  for i, text in ipairs(sets) do
    value = apply(report, value, entry, text, (1 << 20) + i)
  end
  return value
end

return M

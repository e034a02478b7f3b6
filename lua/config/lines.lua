-- Where the keys of a config stand. Lua's values know no lines, so the source is read once more:
-- not to understand it, only to find the table constructors that reach the returned table.

---@class lagoon.config.Body a table constructor
---@field entries table<any, lagoon.config.Entry>
---@field doubles { key: any, line: integer, first: integer }[] keys written again

---@class lagoon.config.Entry: lagoon.config.At
---@field raw string? the text of a --set that may have been meant as text
---@field body lagoon.config.Body? when the value is a table constructor, or a local that is one

local tokens = require("lagoon.config.tokens")

local M = {}

local OPENS = { ["{"] = true, ["("] = true, ["["] = true, ["function"] = true, ["if"] = true,
  ["do"] = true, ["repeat"] = true }
local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }
local SEPARATES = { [","] = true, [";"] = true }

---@class lagoon.config.Reader
---@field list lagoon.config.Token[]
---@field at integer
---@field locals table<string, lagoon.config.Body>
---@field file lagoon.config.File
local Reader = {}
Reader.__index = Reader

function Reader:text(ahead)
  local token = self.list[self.at + (ahead or 0)]
  return token and token.text
end

function Reader:kind(ahead)
  local token = self.list[self.at + (ahead or 0)]
  return token and token.kind
end

-- To the end of an expression in a constructor: what ends it stands on the same level.
function Reader:skip_value()
  local depth = 0
  while self:text() do
    local text = self:text()
    if depth == 0 and (SEPARATES[text] or text == "}") then
      return
    end
    depth = depth + (OPENS[text] and 1 or CLOSES[text] and -1 or 0)
    self.at = self.at + 1
  end
end

-- A key before its value: `name =`, `["text"] =`, `[1] =`. A computed one is skipped.
function Reader:key()
  if self:kind() == "name" and self:text(1) == "=" then
    local name = self:text()
    self.at = self.at + 2
    return name
  elseif self:text() ~= "[" then
    return nil
  end
  local token = self.list[self.at + 1]
  if token.value ~= nil and self:text(2) == "]" then
    self.at = self.at + 4
    return token.value
  end
  local depth = 0
  repeat
    local text = self:text()
    depth = depth + (OPENS[text] and 1 or CLOSES[text] and -1 or 0)
    self.at = self.at + 1
  until depth == 0
  self.at = self.at + 1
  return nil
end

local function ends_value(text)
  return SEPARATES[text] or text == "}"
end

-- The value's constructor, when it is one or the name of one.
function Reader:value()
  local body
  if self:text() == "{" then
    body = self:body()
  elseif self:kind() == "name" and ends_value(self:text(1)) then
    body = self.locals[self:text()]
  end
  self:skip_value()
  return body
end

function Reader:body()
  local body = { entries = {}, doubles = {} }
  local count = 0
  self.at = self.at + 1
  while self:text() ~= "}" do
    local line = self.list[self.at].line
    local is_keyed = self:text() == "[" or self:kind() == "name" and self:text(1) == "="
    local key = self:key()
    if not is_keyed then
      count = count + 1
      key = count
    end
    local entry = { line = line, file = self.file, body = self:value() }
    if key ~= nil and body.entries[key] then
      table.insert(body.doubles, { key = key, line = line, first = body.entries[key].line })
    elseif key ~= nil then
      body.entries[key] = entry
    end
    if SEPARATES[self:text()] then
      self.at = self.at + 1
    end
  end
  self.at = self.at + 1
  return body
end

-- `name = {`, where `local` and an attribute may stand around the name.
function Reader:assignment()
  local after = self:text(1) == "<" and 4 or 1
  local before = self:text(-1)
  if self:kind() == "name" and self:text(after) == "=" and self:text(after + 1) == "{"
    and before ~= "," and before ~= "." then
    local name = self:text()
    self.at = self.at + after + 1
    self.locals[name] = self:body()
    return true
  end
  return false
end

---@param source string that compiles
---@param file lagoon.config.File
---@return lagoon.config.Entry # of the returned table
function M.read(source, file)
  local list = tokens.read(source)
  local reader = setmetatable({ list = list, at = 1, locals = {}, file = file }, Reader)
  local depth = 0
  local root = { file = file, line = #list > 0 and list[#list].line or 1 }
  while reader:text() do
    local text = reader:text()
    if depth == 0 and text == "return" then
      root.line = list[reader.at].line
      reader.at = reader.at + 1
      root.body = reader:text() == "{" and reader:body() or reader.locals[reader:text()]
      break
    elseif depth > 0 or not reader:assignment() then
      depth = depth + (OPENS[text] and 1 or CLOSES[text] and -1 or 0)
      reader.at = reader.at + 1
    end
  end
  return root
end

---The entry of a key; where it is not written literally, what is around it.
---@param entry lagoon.config.Entry
---@param key any
---@return lagoon.config.Entry
function M.child(entry, key)
  return entry.body and entry.body.entries[key] or { line = entry.line, file = entry.file }
end

---@param entry lagoon.config.At?
---@return integer # by which what stands earlier comes first
function M.rank(entry)
  return (entry and entry.file and entry.file.order or 0) << 32 | (entry and entry.line or 0)
end

return M

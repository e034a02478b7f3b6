-- The Lua files that make up a config: the file itself and what it includes. Each runs under a
-- short chunk name, because Lua cuts long ones; messages get the path in its place.

local words = require("lagoon.config.words")

local M = {}

---@class lagoon.config.File
---@field path string as messages name it
---@field directory string what paths written in it are relative to
---@field order integer
---@field chunk string? the name of its chunk; nil for what is no Lua file
---@field real string? the path without links, "." and ".."
---@field source string? its text; nil for what is no Lua file
---@field set string? the key that --set names, when the value comes from there

---@class lagoon.config.At where something stands
---@field file lagoon.config.File?
---@field line integer?

---@class lagoon.config.Chunks
---@field list lagoon.config.File[] the config itself is the first
---@field running lagoon.config.File[] whose chunks have not returned
---@field last_line fun(): integer that ran in any of them
local Chunks = {}
Chunks.__index = Chunks

-- lagoon's C side finds the running line by the same beginning.
local NAME = "(config%s)"
local PATTERN = "%(config[ %d]*%)"

local function directory_of(path)
  return path:match("^(.*)/[^/]*$") or "."
end

---@param path string
---@param directory string? of the path
---@return lagoon.config.File # the same for the same path
function Chunks:add(path, directory)
  for _, file in ipairs(self.list) do
    if file.path == path then
      return file
    end
  end
  local file = {
    path = path,
    directory = directory or directory_of(path),
    order = #self.list,
    chunk = NAME:format(#self.list == 0 and "" or " " .. #self.list),
  }
  table.insert(self.list, file)
  return file
end

---@return string[] # the texts of the files
function Chunks:list_sources()
  local sources = {}
  for _, file in ipairs(self.list) do
    table.insert(sources, file.source)
  end
  return sources
end

---@param chunk string
---@return lagoon.config.File?
function Chunks:find(chunk)
  for _, file in ipairs(self.list) do
    if file.chunk == chunk then
      return file
    end
  end
end

---The file whose chunk runs now, until leave.
---@param file lagoon.config.File
function Chunks:enter(file)
  table.insert(self.running, file)
end

function Chunks:leave()
  table.remove(self.running)
end

---A call in `return include(...)` has left no frame of its file: then the line that ran last is it.
---@return lagoon.config.At # where the config is running
function Chunks:here()
  local current = self.running[#self.running]
  for level = 2, 200 do
    local info = debug.getinfo(level, "Sl")
    local file = info and self:find(info.source:sub(2))
    if file == current then
      return { file = current, line = info.currentline }
    elseif file or not info then
      break
    end
  end
  return { file = current, line = self.last_line() }
end

---@param text string an error of Lua
---@return string # the text without its place, paths for chunks
---@return lagoon.config.At
function Chunks:split(text)
  local chunk, line, rest = text:match("^(" .. PATTERN .. "):(%d+): (.*)$")
  local at = { file = chunk and self:find(chunk), line = line and math.tointeger(line) }
  text = rest or text
  for _, file in ipairs(self.list) do
    text = words.replace(text, file.chunk, file.path)
  end
  return text, at
end

---@param last_line fun(): integer
---@return lagoon.config.Chunks
function M.new(last_line)
  return setmetatable({ list = {}, running = {}, last_line = last_line }, Chunks)
end

return M

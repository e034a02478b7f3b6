-- A running lagoon and its log, which is a line of JSON each where standard error is no terminal.

local json = require("cjson")

local wait = require("spec.support.wait")

local M = {}

---@class spec.Run
---@field process spec.Process
local Run = {}
Run.__index = Run

---@param started spec.Process
---@return spec.Run
function M.new(started)
  return setmetatable({ process = started, parsed = {}, seen = 0 }, Run)
end

-- A line of the log as a table; nil for whatever else the process writes.
local function parse(line)
  local ok, entry = pcall(json.decode, line)
  return ok and type(entry) == "table" and entry.message and entry or nil
end

local function fits(entry, pattern, fields)
  if pattern and not entry.message:find(pattern) then
    return false
  end
  for name, value in pairs(fields or {}) do
    if entry[name] ~= value then
      return false
    end
  end
  return true
end

---The log so far.
---@param pattern? string of Lua: only lines whose message matches
---@param fields? table<string, any> only lines with these fields
---@return table[] entries {time, level, message, and the line's fields}
function Run:log(pattern, fields)
  self.process:is_running()
  local lines = self.process.output.lines
  while self.seen < #lines do
    self.seen = self.seen + 1
    table.insert(self.parsed, parse(lines[self.seen]))
  end
  local chosen = {}
  for _, entry in ipairs(self.parsed) do
    if fits(entry, pattern, fields) then
      table.insert(chosen, entry)
    end
  end
  return chosen
end

---Waits for a line of the log that matches; returns the first one.
---@param pattern string of Lua
---@param fields? table<string, any> which it has to have
---@param deadline_ms? integer
---@return table entry
function Run:wait_log(pattern, fields, deadline_ms)
  local what = ("a log line like %q from %s"):format(pattern, self.process.name)
  return wait.till(what, deadline_ms or 20000, function()
    local entries = self:log(pattern, fields)
    if not entries[1] and not self.process:is_running() and self.process.output.open_pipes == 0 then
      error(("%s: %s, and no log line like %q\n%s"):format(self.process.name,
        self.process:how_it_ended(), pattern, self.process:tail(20)), 0)
    end
    return entries[1], "\n" .. self.process:tail(20)
  end)
end

---Waits until the consumer has partitions.
---@param consumer string
---@param deadline_ms? integer
function Run:wait_assigned(consumer, deadline_ms)
  self:wait_log("^consumer " .. consumer:gsub("%p", "%%%0") .. ": assigned ", nil,
    deadline_ms or 30000)
end

---Sends SIGTERM and waits for the end.
---@param deadline_ms? integer
---@return integer code
function Run:stop(deadline_ms)
  self.process:signal("sigterm")
  return (self.process:wait_exit(deadline_ms or 15000))
end

return M

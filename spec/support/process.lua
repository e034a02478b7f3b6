-- Processes under test: started, watched line by line, always ended.

local uv = require("luv")

local environment = require("spec.support.environment")
local output = require("spec.support.output")
local scope = require("spec.support.scope")
local suspects = require("spec.support.suspects")
local wait = require("spec.support.wait")

local M = {}

---@class spec.Process
---@field pid integer
---@field name string the command as a person would type it
---@field output spec.Output
---@field code integer? the exit code, once it has ended
---@field signal_number integer? what killed it; 0 when nothing did
---@field is_tool boolean? of interest only when it did not succeed
local Process = {}
Process.__index = Process

-- How long the pipes may stay open after the exit: a grandchild may hold them.
local DRAIN_MS = 2000

---Starts a command. It dies with this process, however this one ends.
---@param command string[] the program and its arguments
---@param options? {env: table<string, string|false>?, directory: string?, input: boolean|string?}
--- env: false takes a variable away. input: true leaves standard input open for write(); a string
--- is its whole content; otherwise it is empty.
---@return spec.Process
function M.start(command, options)
  options = options or {}
  local self = setmetatable({
    name = table.concat(command, " "),
    output = output.new(),
    stdin = options.input and uv.new_pipe() or nil,
    pipes = { uv.new_pipe(), uv.new_pipe() },
  }, Process)
  local handle, pid
  handle, pid = uv.spawn("setpriv", {
    args = table.move(command, 1, #command, 4, { "--pdeathsig", "KILL", "--" }),
    env = environment.with(options.env),
    cwd = options.directory,
    stdio = { self.stdin, self.pipes[1], self.pipes[2] },
  }, function(code, signal)
    self.code, self.signal_number = code, signal
    handle:close()
  end)
  assert(handle, pid)
  self.handle, self.pid = handle, pid
  self.output:collect("stdout", self.pipes[1])
  self.output:collect("stderr", self.pipes[2])
  suspects.add(self)
  scope.defer(function()
    self:stop()
  end)
  if type(options.input) == "string" then
    self:write(options.input)
    self:close_input()
  end
  return self
end

---Runs a tool to its end.
---@param command string[]
---@param options? table as in start
---@param deadline_ms? integer
---@return spec.Process
function M.run(command, options, deadline_ms)
  local self = M.start(command, options)
  self.is_tool = true
  self:wait_exit(deadline_ms or 30000)
  return self
end

---What it has written so far, byte for byte.
---@return string
function Process:stdout()
  return self.output:text("stdout")
end

---@return string
function Process:stderr()
  return self.output:text("stderr")
end

---Lines before this moment are no answer to wait_for and count any more.
function Process:mark()
  uv.run("nowait")
  self.output:mark()
end

---How many lines since the mark match, on either stream.
---@param pattern string of Lua
---@return integer
function Process:count(pattern)
  uv.run("nowait")
  return self.output:count(pattern)
end

---Waits until a line since the mark matches, on either stream; returns its captures, or what
---matched. Raises, with the tail of the output, when the process ends without such a line.
---@param pattern string of Lua, matched against single lines
---@param deadline_ms? integer
---@return string ...
function Process:wait_for(pattern, deadline_ms)
  local search = self.output:search(pattern)
  local what = ("a line like %q from %s"):format(pattern, self.name)
  local captures = wait.till(what, deadline_ms or 10000, function()
    local found = search()
    if not found and self.code and self.output.open_pipes == 0 then
      error(("%s: %s, and no line like %q\n%s"):format(self.name, self:how_it_ended(), pattern,
        self:tail(20)), 0)
    end
    return found, "\n" .. self:tail(20)
  end)
  return table.unpack(captures, 1, captures.n)
end

---@return string
function Process:how_it_ended()
  if not self.code then
    return "still running"
  elseif self.signal_number ~= 0 then
    return "killed by signal " .. self.signal_number
  end
  return "exit code " .. self.code
end

---@return boolean
function Process:is_running()
  uv.run("nowait")
  return self.code == nil
end

---Waits for its end and the end of its output.
---@param deadline_ms? integer
---@return integer code, integer signal_number
function Process:wait_exit(deadline_ms)
  wait.till("the end of " .. self.name, deadline_ms or 10000, function()
    return self.code ~= nil, "\n" .. self:tail(20)
  end)
  pcall(wait.till, "the end of its output", DRAIN_MS, function()
    return self.output.open_pipes == 0
  end)
  for _, pipe in ipairs(self.pipes) do
    if not pipe:is_closing() then
      pipe:close()
    end
  end
  self.output.open_pipes = 0
  self:close_input()
  uv.run("nowait")
  return self.code, self.signal_number
end

---@param signal string|integer "sigterm", "sigkill", ...
function Process:signal(signal)
  if self:is_running() then
    self.handle:kill(signal)
  end
end

---Ends it: SIGTERM, and SIGKILL when that has not helped in time. Does nothing when it has ended.
---@param deadline_ms? integer
---@return integer code, integer signal_number
function Process:stop(deadline_ms)
  self:signal("sigterm")
  if not pcall(self.wait_exit, self, deadline_ms or 10000) then
    self:signal("sigkill")
  end
  return self:wait_exit()
end

---@param text string
function Process:write(text)
  self.stdin:write(text)
end

function Process:close_input()
  local stdin = self.stdin
  self.stdin = nil
  local function close()
    if not stdin:is_closing() then
      stdin:close()
    end
  end
  if stdin and not stdin:is_closing() and not stdin:shutdown(close) then
    close()
  end
end

---The last lines of its output.
---@param count? integer
---@return string
function Process:tail(count)
  return self.output:tail(count or 60)
end

return M

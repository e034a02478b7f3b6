-- A program on a terminal of its own, of which a spec sees the screen and to which it types. What
-- makes the terminal is script(1).

local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")
local wait = require("spec.support.wait")

local M = {}

-- What was there before and after says how the terminal is left.
local COMMANDS = [[
stty cols %d rows %d
echo "tty $(tty)"
mode() { stty -g; grep flags: /proc/$$/fdinfo/0; }
before=$(mode)
set -m
sh -c 'echo "pid $$"; exec "$@"' sh %s
code=$?
while [ $code = 148 ]; do
    echo "stopped, restored $([ "$(mode)" = "$before" ] && echo yes)"
    read go
    fg > /dev/null
    code=$?
done
echo "ended $code, restored $([ "$(mode)" = "$before" ] && echo yes)"
]]

---@class spec.Screen
---@field process spec.Process
---@field tty string its path
---@field pid integer the program's
local Screen = {}
Screen.__index = Screen

---Starts `lagoon ARGUMENTS...` in a shell with job control, on a terminal.
---@param arguments string one word each, without spaces
---@param options {directory: string, width: integer, height: integer, env: table?}
---@return spec.Screen
function M.start(arguments, options)
  local script = directory.new() .. "/commands"
  directory.write(script, COMMANDS:format(options.width, options.height,
    lagoon.path .. " " .. arguments))
  local env = { TERM = "xterm", SHELL = "/bin/sh", NO_COLOR = false, LINES = false,
    COLUMNS = false }
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  local self = setmetatable({}, Screen)
  self.process = process.start({ "script", "-qefc", "bash " .. script, "/dev/null" },
    { directory = options.directory, env = env, input = true })
  self.tty = self.process:wait_for("^tty (/dev/[%w/]+)")
  self.pid = tonumber((self.process:wait_for("^pid (%d+)")))
  return self
end

---The last whole frame, its lines without what steers the terminal but for colours.
---@return string
function Screen:frame()
  local text, last = self.process:stdout(), ""
  for frame in text:gmatch("\27%[H([^\27].-)\27%[J") do
    last = frame
  end
  return (last:gsub("\27%[K", ""):gsub("\r\n", "\n"))
end

---Waits for a frame in which all of them are, as they stand.
---@param ... string
---@return string # the frame
function Screen:wait_frame(...)
  local wanted = { ... }
  return wait.till("a frame with " .. table.concat(wanted, " and "), 10000, function()
    local frame = self:frame()
    for _, text in ipairs(wanted) do
      if not frame:find(text, 1, true) then
        return false, "\n" .. frame
      end
    end
    return frame
  end)
end

---@param keys string
function Screen:type(keys)
  self.process:write(keys)
end

---@param width integer
---@param height integer
function Screen:resize(width, height)
  assert(process.run({ "stty", "-F", self.tty, "cols", tostring(width), "rows",
    tostring(height) }).code == 0)
end

---Waits for its end.
---@return integer # its exit code
---@return string # what it said after it had given the terminal back as it was
function Screen:wait_end()
  local code, restored = self.process:wait_for("ended (%d+), restored (%l*)")
  assert(restored == "yes", "the terminal's mode is not restored")
  local text = self.process:stdout()
  local behind = text:match(".*\27%[%?25h\27%[%?1049l(.-)ended %d+, restored ")
    or not text:find("\27", 1, true) and text:match("\npid %d+\r\n(.-)ended %d+, restored ")
  assert(behind and not behind:find("\27", 1, true), "the screen is not restored")
  return tonumber(code), (behind:gsub("\r", ""))
end

return M

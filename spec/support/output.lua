-- The output of a process under test: byte for byte by stream, and line by line over both.

local M = {}

local MAX_SHOWN = 400

---@class spec.Output
---@field lines string[] whole lines of both streams in the order they came
---@field open_pipes integer
local Output = {}
Output.__index = Output

---@return spec.Output
function M.new()
  return setmetatable({
    lines = {},
    chunks = { stdout = {}, stderr = {} },
    marked = 0,
    open_pipes = 0,
  }, Output)
end

---Returns what is left after the last whole line.
function Output:add_lines(text)
  local first = 1
  local last = text:find("\n", first, true)
  while last do
    table.insert(self.lines, text:sub(first, last - 1))
    first = last + 1
    last = text:find("\n", first, true)
  end
  return text:sub(first)
end

---Collects what comes through the pipe until its end.
---@param name "stdout"|"stderr"
function Output:collect(name, pipe)
  local rest = ""
  self.open_pipes = self.open_pipes + 1
  pipe:read_start(function(_, data)
    if data then
      table.insert(self.chunks[name], data)
      rest = self:add_lines(rest .. data)
      return
    end
    if rest ~= "" then
      table.insert(self.lines, rest)
    end
    self.open_pipes = self.open_pipes - 1
    pipe:close()
  end)
end

---@param name "stdout"|"stderr"
---@return string
function Output:text(name)
  local text = table.concat(self.chunks[name])
  self.chunks[name] = { text }
  return text
end

---Lines before this moment do not count any more.
function Output:mark()
  self.marked = #self.lines
end

---How many lines since the mark match.
---@param pattern string
---@return integer
function Output:count(pattern)
  local count = 0
  for i = self.marked + 1, #self.lines do
    if self.lines[i]:find(pattern) then
      count = count + 1
    end
  end
  return count
end

---Looks at each line since the mark once: returns the captures of the first that matches, or
---what matched, packed.
---@param pattern string
---@return fun(): table?
function Output:search(pattern)
  local seen = self.marked
  return function()
    while seen < #self.lines do
      seen = seen + 1
      if self.lines[seen]:find(pattern) then
        return table.pack(self.lines[seen]:match(pattern))
      end
    end
  end
end

---The last lines, each cut to what a person can read.
---@param count integer
---@return string
function Output:tail(count)
  local first = math.max(1, #self.lines - count + 1)
  local lines = {}
  for i = first, #self.lines do
    local line = self.lines[i]
    table.insert(lines, #line <= MAX_SHOWN and line or line:sub(1, MAX_SHOWN) .. " ...")
  end
  if first > 1 then
    table.insert(lines, 1, ("(%d lines before)"):format(first - 1))
  end
  return table.concat(lines, "\n")
end

return M

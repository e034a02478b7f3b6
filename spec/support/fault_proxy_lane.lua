-- One direction of a connection through the fault proxy: what was read waits here until the faults
-- let it through.

local uv = require("luv")

local M = {}

-- Beyond this the source is not read, so that a slow way slows down who writes into it.
local MAX_HELD = 256 * 1024

---@class spec.FaultLane
---@field is_ended boolean the source's end was passed on
local Lane = {}
Lane.__index = Lane

---@param source userdata a TCP handle of luv that is read
---@param sink userdata the one that is written to
---@param faults spec.Faults of the listener; whoever changes them calls update()
---@param on_end fun(failure: string?) the source's end was passed on, or the connection failed
---@return spec.FaultLane
function M.new(source, sink, faults, on_end)
  return setmetatable({
    source = source,
    sink = sink,
    faults = faults,
    on_end = on_end,
    timer = uv.new_timer(),
    chunks = {}, -- {due_ms, data, sent}; without data: the end
    first = 1,
    last = 0,
    held = 0,
    is_reading = false,
    is_writing = false,
    is_ended = false,
  }, Lane)
end

function Lane:on_read(failure, data)
  if failure then
    self.on_end(failure)
    return
  end
  local due_ms = uv.now() + self.faults.latency_ms
  self.last = self.last + 1
  self.chunks[self.last] = { due_ms = due_ms, data = data, sent = 0 }
  self.held = self.held + #(data or "")
  self.has_read_all = not data
  self:update()
end

---Looks again at what may be read and written.
function Lane:update()
  if self.source:is_closing() then
    return
  end
  local wants = not self.faults.is_blackhole and self.held < MAX_HELD and not self.has_read_all
  if wants and not self.is_reading then
    self.source:read_start(function(failure, data)
      self:on_read(failure, data)
    end)
  elseif self.is_reading and not wants then
    self.source:read_stop()
  end
  self.is_reading = wants
  self:pump()
end

function Lane:pump()
  local chunk = self.chunks[self.first]
  if not chunk or self.is_writing or self.faults.is_blackhole then
    return
  end
  local wait_ms = chunk.due_ms - uv.now()
  if wait_ms > 0 then
    self.timer:start(wait_ms, 0, function()
      self:pump()
    end)
  elseif chunk.data then
    self:write(chunk)
  else
    self.is_ended = true
    self.sink:shutdown()
    self.on_end()
  end
end

function Lane:write(chunk)
  local last = self.faults.is_sliced and chunk.sent + 1 or #chunk.data
  self.is_writing = true
  self.sink:write(chunk.data:sub(chunk.sent + 1, last), function(failure)
    self.is_writing = false
    if failure then
      self.on_end(failure)
    elseif not self.sink:is_closing() then
      self:update()
    end
  end)
  self.held = self.held - (last - chunk.sent)
  chunk.sent = last
  if last == #chunk.data then
    self.chunks[self.first] = nil
    self.first = self.first + 1
  end
end

function Lane:close()
  self.timer:close()
end

return M

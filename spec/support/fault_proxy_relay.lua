-- What the fault proxy listens on for one server behind it, and the connections that lead there.

local lane = require("spec.support.fault_proxy_lane")
local uv = require("luv")

local M = {}

---@class spec.Faults
---@field latency_ms integer each way
---@field is_blackhole boolean connections are accepted and kept, and nothing is forwarded
---@field is_sliced boolean every byte is written by itself
---@field is_refusing boolean a connection is reset as soon as it is accepted

---@class spec.FaultRelay
---@field port integer
local Relay = {}
Relay.__index = Relay

local function split(address)
  local host, number = address:match("^(.*):(%d+)$")
  return host, math.tointeger(number)
end

---@param upstream string host:port of the server
---@return spec.FaultRelay
function M.new(upstream)
  local self = setmetatable({ connections = {}, server = uv.new_tcp() }, Relay)
  self.host, self.upstream_port = split(upstream)
  self.faults = { latency_ms = 0, is_blackhole = false, is_sliced = false, is_refusing = false }
  assert(self.server:bind("127.0.0.1", 0))
  self.port = self.server:getsockname().port
  assert(self.server:listen(128, function(failure)
    assert(not failure, failure)
    self:accept()
  end))
  return self
end

function Relay:close(connection, is_reset)
  if not self.connections[connection] then
    return
  end
  self.connections[connection] = nil
  for _, one in ipairs(connection.lanes) do
    one:close()
  end
  for _, socket in ipairs({ connection.client, connection.upstream }) do
    -- Of a socket that was never connected there is nothing to reset.
    if not is_reset or not socket:close_reset() then
      socket:close()
    end
  end
end

function Relay:join(connection)
  local client, upstream = connection.client, connection.upstream
  local function on_end(failure)
    local is_over = connection.lanes[1].is_ended and connection.lanes[2].is_ended
    if failure or is_over then
      self:close(connection, failure ~= nil)
    end
  end
  connection.lanes = { lane.new(client, upstream, self.faults, on_end),
    lane.new(upstream, client, self.faults, on_end) }
  for _, one in ipairs(connection.lanes) do
    one:update()
  end
end

function Relay:accept()
  local connection = { client = uv.new_tcp(), upstream = uv.new_tcp(), lanes = {} }
  assert(self.server:accept(connection.client))
  self.connections[connection] = true
  if self.faults.is_refusing then
    self:close(connection, true)
    return
  end
  connection.client:nodelay(true)
  connection.upstream:nodelay(true)
  connection.upstream:connect(self.host, self.upstream_port, function(failure)
    if failure then
      self:close(connection, true)
    elseif self.connections[connection] then
      self:join(connection)
    end
  end)
end

---Puts one fault in the place of those before; connections that are open have it, too.
---@param fault "none"|"latency"|"blackhole"|"reset"|"refuse"|"slices" reset: all connections that
--- are open are reset once, and refuse: new ones, too, until there is another fault
---@param amount? integer latency: milliseconds
function Relay:set(fault, amount)
  self.faults.latency_ms = fault == "latency" and amount or 0
  self.faults.is_blackhole = fault == "blackhole"
  self.faults.is_sliced = fault == "slices"
  self.faults.is_refusing = fault == "refuse"
  local open = {}
  for connection in pairs(self.connections) do
    table.insert(open, connection)
  end
  for _, connection in ipairs(open) do
    if fault == "reset" or fault == "refuse" then
      self:close(connection, true)
    else
      for _, one in ipairs(connection.lanes) do
        one:update()
      end
    end
  end
end

return M

-- A TCP proxy between clients and a server, whose way can be made slow, dead or brittle while
-- connections are open. It is a process of its own, since a spec's loop stands while it asks Kafka.

local process = require("spec.support.process")

local M = {}

---@class spec.FaultFront
---@field address string host:port where clients connect
---@field proxy spec.FaultProxy
---@field port string
local Front = {}
Front.__index = Front

---Puts one fault in the place of those before, for open connections and new ones.
---@param fault "none"|"latency"|"blackhole"|"reset"|"refuse"|"slices" latency: each way; blackhole:
--- connections are accepted and kept, and nothing is forwarded; reset: open connections are reset
--- once; refuse: new ones are reset, too; slices: every byte is written by itself
---@param amount? integer latency: milliseconds
function Front:set(fault, amount)
  local line = ("%s %s%s"):format(self.port, fault, amount and " " .. amount or "")
  self.proxy:ask(line, "^(" .. line .. ")$")
end

---@class spec.FaultProxy
---@field process spec.Process
local Proxy = {}
Proxy.__index = Proxy

---Starts one without anything to listen on.
---@return spec.FaultProxy
function M.start()
  local self = setmetatable({}, Proxy)
  self.process = process.start({ "lua5.4", "spec/support/fault_proxy_main.lua" }, { input = true })
  return self
end

function Proxy:ask(line, pattern)
  self.process:mark()
  self.process:write(line .. "\n")
  return self.process:wait_for(pattern)
end

---Listens for one more server, which need not be there yet.
---@param upstream string host:port
---@return spec.FaultFront
function Proxy:listen(upstream)
  local address = self:ask("listen " .. upstream, "^listening on (%S+)$")
  return setmetatable({ proxy = self, address = address, port = address:match("%d+$") }, Front)
end

return M

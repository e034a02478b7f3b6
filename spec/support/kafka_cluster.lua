-- Three real brokers, each record on all of them and acknowledged by two: what is said to be
-- written survives the loss of any one. Nodes are stopped, killed and started while it is used, and
-- members may be behind a proxy that makes the network bad.

local fault_proxy = require("spec.support.fault_proxy")
local kafka = require("spec.support.kafka")
local wait = require("spec.support.wait")

local M = {}

local NODES = 3
local SYNC_MS = 60000
-- With more of them, an idempotent producer may turn fatal when a broker is lost; without
-- idempotence what is sent again may come behind what was sent later.
local WRITER = { ["max.in.flight.requests.per.connection"] = 1 }
local SETTINGS = "min.insync.replicas=2\n"

---@class spec.KafkaCluster
---@field kafka spec.Kafka
---@field brokers string without a proxy
---@field member_brokers string what members are told; the same unless there is a proxy
---@field writer_properties table of a producer of records that outlives the loss of brokers
---@field fronts spec.FaultFront[] the proxy's way to each node; none unless there is a proxy
local Cluster = {}
Cluster.__index = Cluster

---@param options? {has_proxy: boolean?, settings: string?} settings: more lines of each node's
---@return spec.KafkaCluster
function M.start(options)
  options = options or {}
  local self = setmetatable({ fronts = {}, writer_properties = WRITER }, Cluster)
  local listeners, advertise
  if options.has_proxy then
    local proxy = fault_proxy.start()
    listeners = { MEMBERS = "PLAINTEXT" }
    function advertise(address)
      table.insert(self.fronts, proxy:listen(address))
      return self.fronts[#self.fronts].address
    end
  end
  self.kafka = kafka.start({ nodes = NODES, listeners = listeners, advertise = advertise,
    settings = SETTINGS .. (options.settings or "") })
  self.brokers = self.kafka.brokers
  self.member_brokers = self.brokers
  if options.has_proxy then
    local addresses = {}
    for i, front in ipairs(self.fronts) do
      addresses[i] = front.address
    end
    self.member_brokers = table.concat(addresses, ",")
  end
  return self
end

---Shuts a node down in an orderly way.
---@param id integer
function Cluster:stop(id)
  self.kafka.nodes[id]:stop()
end

---As when its machine loses power.
---@param id integer
function Cluster:kill(id)
  self.kafka.nodes[id]:kill()
end

---Starts a node again; does not wait.
---@param id integer
function Cluster:start(id)
  self.kafka.nodes[id]:start()
end

---Kills all of them at once.
function Cluster:kill_all()
  for _, node in ipairs(self.kafka.nodes) do
    node.process:signal("sigkill")
  end
  for _, node in ipairs(self.kafka.nodes) do
    node.process:wait_exit()
  end
end

---Starts all of them; does not wait.
function Cluster:start_all()
  for _, node in ipairs(self.kafka.nodes) do
    node:start()
  end
end

---Whether every replica of every partition is in sync, and all nodes know of each other.
---@return boolean is_in_sync
---@return string? what is not
function Cluster:is_in_sync()
  local unit_kafka = require("unit").kafka
  for _, node in ipairs(self.kafka.nodes) do
    assert(node.process:is_running(), node.process:tail())
    local count, message = unit_kafka.brokers(node.address, 200)
    if count ~= NODES then
      return false, ("node %d: %s"):format(node.id, message or count .. " nodes")
    end
  end
  local lagging, message = unit_kafka.lagging(self.brokers, 500)
  return lagging == 0, message or lagging .. " partitions are not in sync"
end

---Waits until everything is in sync; another node may be lost then.
---@param pass? fun(condition: fun(): boolean, string?) what waits in its place, and may look at
--- other things meanwhile
function Cluster:wait_in_sync(pass)
  local function condition()
    return self:is_in_sync()
  end
  if pass then
    pass(condition)
  else
    wait.till("all replicas to be in sync", SYNC_MS, condition)
  end
end

return M

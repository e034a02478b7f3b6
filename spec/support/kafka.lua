-- A real Apache Kafka on the loopback interface: KRaft, one node or three, small.

local batches = require("spec.support.kafka_batches")
local directory = require("spec.support.directory")
local java = require("spec.support.java")
local port = require("spec.support.port")
local process = require("spec.support.process")
local scope = require("spec.support.scope")
local wait = require("spec.support.wait")

local M = {}

local START_MS = 120000
local CLUSTER_ID = "c3BlY3Mtb2YtbGFnb29uMQ"

-- Small and quick, and as strict as the promises are.
local SETTINGS = [[
process.roles=broker,controller
node.id=@ID@
controller.quorum.voters=@VOTERS@
listeners=PLAINTEXT://@ADDRESS@,CONTROLLER://@CONTROLLER@@LISTENERS@
advertised.listeners=PLAINTEXT://@ADDRESS@@ADVERTISED@
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT@PROTOCOLS@
controller.listener.names=CONTROLLER
log.dirs=@DATA@
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor=@REPLICAS@
offsets.topic.num.partitions=8
offsets.topic.replication.factor=@REPLICAS@
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=@REPLICAS@
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.backoff.ms=200
]]

---@class spec.KafkaOptions
---@field nodes integer? 1 or 3
---@field listeners table<string, string>? more of them beside PLAINTEXT: {LOGIN = "SASL_SSL"}
---@field settings string? more lines of its properties
---@field advertise (fun(address: string): string)? what clients are told in the place of an address
--- of those
---@field users string[]? of SCRAM: "SCRAM-SHA-256=[name=alice,password=secret]"

---@class spec.KafkaNode
---@field id integer
---@field address string
---@field listeners table<string, string> the addresses of those beside PLAINTEXT
---@field advertised table<string, string> the same, as clients are told them
---@field data string its folder
---@field process spec.Process?
local Node = {}
Node.__index = Node

local function new_node(id, options)
  local self = setmetatable({
    id = id,
    address = "127.0.0.1:" .. port.free(),
    controller = "127.0.0.1:" .. port.free(),
    listeners = {},
    advertised = {},
  }, Node)
  for name in pairs(options.listeners or {}) do
    local address = "127.0.0.1:" .. port.free()
    self.listeners[name] = address
    self.advertised[name] = options.advertise and options.advertise(address) or address
  end
  return self
end

function Node:format(folder, voters, options)
  self.data = folder .. "/data-" .. self.id
  local values = { ID = self.id, VOTERS = voters, ADDRESS = self.address,
    REPLICAS = options.nodes or 1, CONTROLLER = self.controller, DATA = self.data,
    LISTENERS = "", ADVERTISED = "", PROTOCOLS = "" }
  for name, address in pairs(self.listeners) do
    values.LISTENERS = ("%s,%s://%s"):format(values.LISTENERS, name, address)
    values.ADVERTISED = ("%s,%s://%s"):format(values.ADVERTISED, name, self.advertised[name])
    values.PROTOCOLS = ("%s,%s:%s"):format(values.PROTOCOLS, name, options.listeners[name])
  end
  self.settings = directory.write(("%s/node-%d.properties"):format(folder, self.id),
    SETTINGS:gsub("@(%u+)@", values) .. (options.settings or ""))
  local command = java.command("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID,
    "-c", self.settings)
  for _, user in ipairs(options.users or {}) do
    table.move({ "--add-scram", user }, 1, 2, #command + 1, command)
  end
  local tool = process.run(command, nil, START_MS)
  assert(tool.code == 0, tool:tail())
end

---Starts it, again with the data that it has; does not wait.
function Node:start()
  local command = java.command("-Xmx384m", "-Xms256m", "kafka.Kafka", self.settings)
  self.process = process.start(command)
end

---As when its machine loses power.
function Node:kill()
  self.process:signal("sigkill")
  self.process:wait_exit()
end

---Shuts it down in an orderly way.
function Node:stop()
  self.process:stop(30000)
end

---@class spec.Kafka
---@field brokers string host:port,host:port
---@field nodes spec.KafkaNode[]
local Kafka = {}
Kafka.__index = Kafka

---Waits until all nodes answer.
function Kafka:wait_ready()
  local kafka = require("unit").kafka
  for _, node in ipairs(self.nodes) do
    wait.till("Kafka's node " .. node.id, START_MS, function()
      assert(node.process:is_running(), node.process:tail())
      local count, message = kafka.brokers(node.address, 500)
      return count == #self.nodes, message or count
    end)
  end
end

---Starts a cluster of its own for the spec or block that asks; it ends with it.
---@param options? spec.KafkaOptions
---@return spec.Kafka
function M.start(options)
  options = options or {}
  local folder = directory.new()
  local self = setmetatable({ nodes = {} }, Kafka)
  local addresses, voters = {}, {}
  for id = 1, options.nodes or 1 do
    local node = new_node(id, options)
    table.insert(self.nodes, node)
    table.insert(addresses, node.address)
    table.insert(voters, ("%d@%s"):format(id, node.controller))
  end
  self.brokers = table.concat(addresses, ",")
  for _, node in ipairs(self.nodes) do
    node:format(folder, table.concat(voters, ","), options)
    node:start()
  end
  self:wait_ready()
  return self
end

---How the first node stores a topic's one partition: the codecs in the order they first come.
---@param topic string
---@return string[]
function Kafka:codecs(topic)
  return batches.codecs(("%s/%s-0/%020d.log"):format(self.nodes[1].data, topic, 0))
end

local shared

---The one cluster of this run, started when it is first asked for. Topics and groups on it need
---names of their own; nobody stops it.
---@return spec.Kafka
function M.shared()
  if not shared then
    shared = scope.at_end(M.start)
  end
  return shared
end

return M

-- The broker that a functional spec runs against: the embedded one, started for the spec that asks,
-- or the run's real Kafka. LAGOON_SPEC_BROKER chooses: embedded (when unset) or kafka.

local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local lagoon = require("spec.support.lagoon")
local unit = require("unit")
local uv = require("luv")
local wait = require("spec.support.wait")

local M = {}

---True when specs run against a real Kafka.
M.is_real = os.getenv("LAGOON_SPEC_BROKER") == "kafka"

---@class spec.Broker
---@field brokers string host:port,...
---@field is_real boolean
---@field process spec.Process? of the embedded one
local Broker = {}
Broker.__index = Broker

local names_given = 0
local run = ("%x"):format(uv.os_getpid())

---A topic or group name that no other spec has: a real broker is shared, and remembers.
---@param word string orders
---@return string name orders-1a2b-3
function M.unique(word)
  names_given = names_given + 1
  return ("%s-%s-%d"):format(word, run, names_given)
end

local function start_embedded()
  local one = lagoon.start({ "broker", "--port", "0" }, { input = true })
  return one, one:wait_for("^listening on (127%.0%.0%.1:%d+)$", 15000)
end

---An embedded one in any case, where a spec needs a second cluster or one of its own.
---@return spec.Broker
function M.start_embedded()
  local self = setmetatable({ is_real = false }, Broker)
  self.process, self.brokers = start_embedded()
  return self
end

---A broker without topics of this spec; it ends with the spec, or with the block when a setup
---started it.
---@return spec.Broker
function M.start()
  if M.is_real then
    return setmetatable({ is_real = true, brokers = kafka.shared().brokers }, Broker)
  end
  return M.start_embedded()
end

---Creates a topic of exactly this name and returns when it can be written to.
---@param name string
---@param partitions integer
function Broker:create_topic(name, partitions)
  if self.is_real then
    assert(unit.kafka.create_topic(self.brokers, name, partitions))
  else
    self.process:write(("topic %s:%d\n"):format(name, partitions))
    local pattern = ("created %s:%d"):format(name, partitions):gsub("%p", "%%%0")
    self.process:wait_for("^" .. pattern .. "$")
  end
  wait.till("topic " .. name, 10000, function()
    return unit.kafka.partitions(self.brokers, name) == partitions
  end)
end

---Creates a topic that no other spec has.
---@param word string
---@param partitions integer
---@return string name
function Broker:new_topic(word, partitions)
  local name = M.unique(word)
  self:create_topic(name, partitions)
  return name
end

---What the group has committed, by partition from 0; partitions without a commit are absent.
---@param group string
---@param topic string
---@param partitions integer
---@return table<integer, integer>
function Broker:committed(group, topic, partitions)
  return assert(unit.kafka.committed(self.brokers, group, topic, partitions))
end

---The offset after the last record, by partition from 0, as kcat sees it.
---@param topic string
---@param partitions integer
---@return table<integer, integer>
function Broker:end_offsets(topic, partitions)
  return kcat.end_offsets(self.brokers, topic, partitions)
end

---Writes records with kcat; see kcat.produce.
function Broker:produce(topic, records, options)
  kcat.produce(self.brokers, topic, records, options)
end

---Reads records with kcat; see kcat.consume.
---@return spec.Record[]
function Broker:consume(topic, options)
  return kcat.consume(self.brokers, topic, options)
end

return M

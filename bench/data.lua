-- A Kafka of the benchmark's own, and the records that are read again and again.

local broker = require("spec.support.broker")
local kafka = require("spec.support.kafka")
local process = require("spec.support.process")
local unit = require("unit")
local wait = require("spec.support.wait")

local M = {}

M.partitions, M.keys = 12, 50000

local LOAD_MS = 600000

---@class bench.Data
---@field brokers string
---@field build string the folder of what was built
---@field partitions integer
---@field records integer of "orders" and of "headers"
---@field few integer of "few"
---@field unique fun(word: string): string

local function create(set, topic)
  assert(unit.kafka.create_topic(set.brokers, topic, set.partitions))
  wait.till("topic " .. topic, 10000, function()
    return unit.kafka.partitions(set.brokers, topic) == set.partitions
  end)
end

---Fills a topic: nothing else writes to it.
---@param set bench.Data
---@param topic string
---@param records integer
---@param how? string "header", or a rate
function M.load(set, topic, records, how)
  local tool = process.run({ set.build .. "/bench/load", set.brokers, topic,
    tostring(set.partitions), tostring(records), tostring(M.keys), how }, nil, LOAD_MS)
  assert(tool.code == 0, tool:tail())
end

---@param build string
---@param records integer
---@return bench.Data
function M.new(build, records)
  local set = { build = build, partitions = M.partitions, records = records, few = records // 4,
    unique = broker.unique, brokers = kafka.start().brokers }
  for _, topic in ipairs({ "orders", "headers", "few", "derived", "paced" }) do
    create(set, topic)
  end
  M.load(set, "orders", set.records)
  M.load(set, "headers", set.records, "header")
  M.load(set, "few", set.few)
  return set
end

return M

-- Others than an oracle's own producer: an API-side lagoon that is published to over HTTP, and
-- Kafka's own client in Java, which shares no code with librdkafka. Keys and numbers are such that
-- the oracle can judge their order.

local json = require("cjson")

local abuse = require("spec.support.abuse")
local admin = require("spec.support.admin_client")
local kafka_client = require("spec.support.kafka_client")

local M = {}

---@class spec.Publishers
---@field api spec.Run
---@field acknowledged integer records that a client was told are written
local Publishers = {}
Publishers.__index = Publishers

local TOKEN = "the-publisher's-token"
local KEYS = 20
local TYPES = { "OrderCreated", "OrderPaid", "OrderShipped" }

---What the oracle's application has to have in its config.
M.config = { admin = { token = TOKEN } }

---Starts the API side: `run --only producers`.
---@param oracle spec.Oracle whose config has M.config
---@return spec.Publishers
function M.new(oracle)
  local self = setmetatable({ oracle = oracle, acknowledged = 0, crowds = {}, rounds = 0 },
    Publishers)
  self.api = oracle.app:start({ "run", "--only", "producers" },
    { env = { LAGOON_LISTEN = "127.0.0.1:0" } })
  self.api:wait_log("^producer orders is ready")
  self.client = kafka_client.shared()
  return self
end

---Begins to publish over HTTP, by 50 connections that stay.
---@param count integer
---@param rate integer a second
function Publishers:begin_http(count, rate)
  table.insert(self.crowds, abuse.start("publish", admin.url_of(self.api),
    { seed = #self.crowds + 1, count = count, token = TOKEN, rate = rate }))
end

---Whether all that was begun over HTTP has ended; raises when not all of it was taken.
---@return boolean
function Publishers:has_ended()
  for _, crowd in ipairs(self.crowds) do
    if not crowd.is_counted and crowd:is_running() then
      return false
    elseif not crowd.is_counted then
      local result = abuse.result(crowd)
      assert(result.statuses["200"] == result.asked and result.silent == 0, json.encode(result))
      crowd.is_counted = true
      self.acknowledged = self.acknowledged + result.asked
    end
  end
  return true
end

---Publishes with Kafka's client, with keys and headers, and waits for the acknowledgements.
---@param count integer
function Publishers:produce(count)
  self.rounds = self.rounds + 1
  local records = {}
  for i = 1, count do
    local key = ("java-%d-%d"):format(self.rounds, i % KEYS)
    local number = (i - 1) // KEYS + 1
    records[i] = { key = key, value = json.encode({ order_id = key, n = number }),
      headers = { { "Message-Type", TYPES[(number - 1) % #TYPES + 1] }, { "trace", key } } }
  end
  local offsets = assert(self.client:produce(self.oracle.brokers, self.oracle.topic, records))
  self.acknowledged = self.acknowledged + #offsets
end

---Stops the API side; returns whether it ended well.
---@return boolean
function Publishers:stop()
  return self.api:stop() == 0
end

return M

-- Records at a steady rate, written by a producer of its own while the spec waits for something.

local json = require("cjson")

local scope = require("spec.support.scope")
local uv = require("luv")
local wait = require("spec.support.wait")

local M = {}

local TYPES = { "OrderCreated", "OrderPaid", "OrderShipped" }
local STEP_MS = 5
-- What its producer holds, which has room for 100,000.
local MAX_OPEN = 50000

---@class spec.Traffic
---@field sent integer
local Traffic = {}
Traffic.__index = Traffic

---A record of a key: what its handler is asked to do, and which of the key's records it is.
---@param writer userdata require("unit").oracle.writer
---@param topic string
---@param key string
---@param number integer from 1
---@param event table
---@param partition? integer
function M.send(writer, topic, key, number, event, partition)
  event.order_id, event.n = key, number
  assert(writer:send(topic, TYPES[(number - 1) % 3 + 1], key, json.encode(event),
    partition))
end

---@param options {rate: integer?, backlog: integer?, keys: integer, event: (fun(number: integer):
--- table)?, prefix: string?, limit: (fun(): number)?, properties: table?} rate: records a
--- second, or as many as keep the backlog at that many; over so many keys in turn; event: what
--- handlers are asked to do; limit: no more than that; on_send(key, number, event); properties:
--- its producer's, of librdkafka
---@return spec.Traffic
function M.start(oracle, options)
  local properties = { ["linger.ms"] = 2, ["message.timeout.ms"] = 0 }
  for name, value in pairs(options.properties or {}) do
    properties[name] = value
  end
  local self = setmetatable({
    topic = oracle.topic,
    options = options,
    sent = 0,
    numbers = {}, -- by key
    oracle = oracle,
    writer = oracle:new_writer(properties),
    began = uv.hrtime(),
    timer = uv.new_timer(),
  }, Traffic)
  scope.defer(function()
    self:close()
  end)
  self.timer:start(0, STEP_MS, function()
    self:step()
  end)
  return self
end

function Traffic:send()
  local index = self.sent % self.options.keys + 1
  local key = (self.options.prefix or "order-") .. index
  local number = (self.numbers[key] or 0) + 1
  local event = self.options.event and self.options.event(self.sent + 1) or {}
  M.send(self.writer, self.topic, key, number, event)
  if self.options.on_send then
    self.options.on_send(key, number, event)
  end
  self.numbers[key] = number
  self.sent = self.sent + 1
end

-- How many are to be sent by now. While Kafka takes nothing they wait here.
function Traffic:due()
  local options = self.options
  local due = options.rate and (uv.hrtime() - self.began) / 1e9 * options.rate
    or self.oracle.verdicts.handled + options.backlog
  local _, _, open = self.writer:counts()
  return math.min(due, self.sent + MAX_OPEN - open, options.limit and options.limit() or math.huge)
end

function Traffic:step()
  local due = self:due()
  while self.sent < due do
    self:send()
  end
end

---Nothing more is sent; returns when everything is acknowledged.
---@param deadline_ms? integer
function Traffic:stop(deadline_ms)
  self.timer:stop()
  wait.till("all records to be acknowledged", deadline_ms or 30000, function()
    local acknowledged, refused, open = self.writer:counts()
    assert(refused == 0, refused .. " records were refused")
    return open == 0 and acknowledged == self.sent, open
  end)
end

function Traffic:close()
  if not self.timer:is_closing() then
    self.timer:close()
  end
end

return M

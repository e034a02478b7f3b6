-- A scenario from Kafka's start to the end of the last member.

local bound = require("spec.chaos.bound")
local dice = require("spec.chaos.dice")
local kafka = require("spec.support.kafka")
local letters = require("spec.chaos.letters")
local members = require("spec.chaos.members")
local oracle = require("spec.support.oracle")
local order_of = require("spec.support.oracle_order")
local report = require("spec.chaos.report")
local uv = require("luv")

local M = {}

-- Short sessions, so that the dead are missed soon; a small window, so that the bound says much.
local PROPERTIES = { ["session.timeout.ms"] = 4000, ["heartbeat.interval.ms"] = 500,
  ["max.poll.interval.ms"] = 30000 }
local WINDOW = 1000
local COMMIT_INTERVAL_S = 1
local FILL_MS = 1800000

local function heed_order(self)
  local function suspect(entry, other, words)
    table.insert(self.suspicions, { seen = uv.hrtime(), pid = entry.pid,
      other_pid = other.pid,
      sentence = words:format(order_of.name(entry), order_of.name(other)) })
  end
  local order = self.judge.verdicts.order
  function order.on_overlap(entry, other)
    suspect(entry, other, "%s began while %s ran, whose process had neither lost it nor "
      .. "given it back")
  end
  function order.on_skip(entry, last)
    suspect(entry, last, "%s began after %s, with others between them left out")
  end
end

local function start_kafka(self)
  local scenario = self.scenario
  if self.given_brokers and not scenario.start_kafka then
    self.brokers = self.given_brokers
    return
  end
  self.kafka = scenario.start_kafka and scenario.start_kafka(self) or kafka.start()
  self.brokers = self.kafka.brokers
end

local function new_oracle(self)
  local scenario = self.scenario
  local consumer = { workers = 4, window = { records = WINDOW }, properties = {} }
  for name, value in pairs(scenario.consumer or {}) do
    consumer[name] = value
  end
  local properties = {}
  for _, given in ipairs({ PROPERTIES, consumer.properties }) do
    for name, value in pairs(given) do
      properties[name] = value
    end
  end
  consumer.properties = properties
  self.judge = oracle.new({ brokers = self.brokers, partitions = scenario.partitions or 8,
    member_brokers = self.kafka and self.kafka.member_brokers, consumer = consumer,
    listen = scenario.listen,
    is_ordered = (consumer.distribution or "key") == "key",
    has_out_topic = scenario.publishes, config = scenario.config })
  heed_order(self)
  self.bound = bound.new(self.judge, consumer.window.records, COMMIT_INTERVAL_S)
  self.members = members.new(self)
end

local function start_traffic(self)
  local scenario = self.scenario
  local ask = dice.new(self.seed, "records")
  self.traffic = self.judge:start_traffic({
    rate = self.rate,
    backlog = scenario.fills and math.huge or scenario.backlog,
    keys = scenario.keys or 1000,
    event = function(number)
      return scenario.event and scenario.event(number, ask, self) or {}
    end,
    on_send = function(key, number, event)
      if event.publish then
        table.insert(self.publishing, key .. " " .. number)
      end
    end,
    limit = function()
      return self.is_disturbed and math.huge or self.records
    end,
    properties = self.kafka and self.kafka.writer_properties,
  })
end

-- The records are there before anybody reads them.
local function fill(self)
  start_traffic(self)
  self:wait("all records to be sent", FILL_MS, function()
    return self.traffic.sent >= self.records, self.traffic.sent
  end)
  self.traffic:stop(report.DRAIN_MS)
  self:say("%d records wait on %s", self.traffic.sent, self.judge.topic)
end

local function start_members(self)
  for _ = 1, self.scenario.members or 3 do
    self.members:come()
  end
  for _, member in ipairs(self.members.all) do
    self.members:wait_assigned(member)
  end
  self:say("%d members of group %s read %s at %s", #self.members.all, self.judge.group,
    self.judge.topic, self.brokers)
end

-- Faults go on for as long as they take; the records do too.
local function disturb(self)
  self.is_disturbed = true
  if self.scenario.faults then
    self.scenario.faults(self)
  end
  self.is_disturbed = false
  self.last_fault = self.last_fault or uv.hrtime()
end

local function send_rest(self)
  local handled, since = -1, 0
  self:wait("the rest of the records to be sent", 4 * 3600 * 1000, function()
    local now = uv.hrtime()
    if self.judge.verdicts.handled > handled then
      handled, since = self.judge.verdicts.handled, now
    end
    assert(now - since < report.DRAIN_MS * 1000000, "nothing is handled any more")
    return self.traffic.sent >= self.records
  end)
  self.traffic:stop(report.DRAIN_MS)
end

---Waits until everything that is on the topic is handled and committed.
---@param self spec.Rig
function M.drain(self)
  local ends = self.judge:end_offsets()
  self.ends = ends
  local from = uv.hrtime()
  self:wait("all records to be handled and committed", report.DRAIN_MS, function()
    for partition, offset in pairs(ends) do
      local committed = self.judge.verdicts.committed[partition] or 0
      if committed < offset then
        return false, ("partition %d: %d of %d"):format(partition, committed, offset)
      end
    end
    return true
  end)
  self.drained_s = (uv.hrtime() - from) / 1e9
end

---@param self spec.Rig
function M.play(self)
  start_kafka(self)
  new_oracle(self)
  if self.scenario.fills then
    fill(self)
  end
  start_members(self)
  if not self.scenario.fills then
    start_traffic(self)
  end
  disturb(self)
  send_rest(self)
  self:say("%d records are sent, %d are handled; nothing disturbs any more", self.traffic.sent,
    self.judge.verdicts.handled)
  if self.scenario.drains ~= false then
    M.drain(self)
  end
  if self.scenario.finish then
    self.scenario.finish(self)
  end
  self.members:stop_all()
  self.judge:sample(true)
  self.letters = letters.read(self)
end

return M

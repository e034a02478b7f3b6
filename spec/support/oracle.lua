-- Judges a group of lagoon processes on a real Kafka: what was handled, how often, in which order,
-- and whether a commit ever passed a record that no handler had finished.
--
-- Handlers write a line into one ledger when they begin and when they end. A line is one append, so
-- the ledger has one order for all workers and processes.

local application = require("spec.support.oracle_application")
local broker = require("spec.support.broker")
local scope = require("spec.support.scope")
local traffic = require("spec.support.oracle_traffic")
local unit = require("unit")
local uv = require("luv")
local verdicts = require("spec.support.oracle_verdicts")
local wait = require("spec.support.wait")

local M = {}

---@class spec.Oracle: spec.OracleWaits
---@field server spec.Broker? nil when the brokers were given
---@field brokers string
---@field member_brokers string
---@field topic string
---@field group string
---@field partitions integer
---@field app spec.Application
---@field verdicts spec.Verdicts
local Oracle = setmetatable({}, { __index = require("spec.support.oracle_waits") })
Oracle.__index = Oracle

local SAMPLE_MS = 100

---A topic, a group, an application whose handlers do what their events ask for.
---@param options? {partitions: integer?, consumer: table?, config: table?, brokers: string?,
--- member_brokers: string?, is_ordered: boolean?, nodes: integer[]?, has_out_topic: boolean?,
--- out_properties: table?, listen: string?} consumer: keys of its config that differ; config: more
--- keys of the whole; member_brokers: what members are told; is_ordered: unless false, the records
--- of a key have to be handled one by one, in order; nodes: where its topic is; listen: where each
--- member has its admin server, none unless set
---@return spec.Oracle
function M.new(options)
  options = options or {}
  local server = not options.brokers and broker.start() or nil
  local brokers = options.brokers or server.brokers
  local self = setmetatable({
    server = server,
    brokers = brokers,
    member_brokers = options.member_brokers or brokers,
    topic = broker.unique("orders"),
    group = broker.unique("group"),
    partitions = options.partitions or 4,
    listen = options.listen,
    sampled_at = 0,
    samples = 0,
  }, Oracle)
  self:create_topic(self.topic, self.partitions, options.nodes)
  if options.has_out_topic then
    self.out_topic = broker.unique("out")
    self:create_topic(self.out_topic, 1)
  end
  local ledger
  self.app, ledger = application.new(self, options)
  self.verdicts = verdicts.new(ledger, options.is_ordered ~= false)
  self.watch = unit.oracle.watch(brokers, self.group, self.topic, self.partitions)
  scope.defer(function()
    self.watch:close()
  end)
  return self
end

---@param name string
---@param partitions integer
---@param nodes? integer[] where each partition is
function Oracle:create_topic(name, partitions, nodes)
  if self.server then
    self.server:create_topic(name, partitions)
    return
  end
  -- A broker that got no time of the machine is fenced for a moment, or makes a topic without
  -- saying so.
  wait.till("the making of topic " .. name, 60000, function()
    local is_made, message = unit.kafka.create_topic(self.brokers, name, partitions, nodes)
    return is_made or message:find("already exists", 1, true), message
  end)
  wait.till("topic " .. name, 10000, function()
    return unit.kafka.partitions(self.brokers, name) == partitions
  end)
end

---Starts a process that only consumes, and waits until it has partitions.
---@param options? {is_waiting: boolean?} is_waiting = false returns at once
---@return spec.Run
function Oracle:start_member(options)
  local member = self.app:start({ "run", "--only", "consumers" },
    { env = { LAGOON_LISTEN = self.listen } })
  if not options or options.is_waiting ~= false then
    self:wait_assigned(member)
  end
  return member
end

---Waits until the member has partitions.
---@param member spec.Run
function Oracle:wait_assigned(member)
  self:wait("an assignment", 30000, function()
    assert(member.process:is_running(), member.process:tail())
    return #member:log("^consumer orders: assigned orders") > 0
  end)
end

---Sends SIGTERM and waits for a good end.
---@param member spec.Run
function Oracle:stop_member(member)
  member.process:signal("sigterm")
  self:wait("the member's end", 30000, function()
    return not member.process:is_running()
  end)
  assert(member.process:wait_exit() == 0, member.process:tail())
end

---A producer of the spec's own.
---@param properties? table<string, any> librdkafka's
---@return userdata writer as require("unit").oracle gives it
function Oracle:new_writer(properties)
  local writer = unit.oracle.writer(self.brokers, properties)
  scope.defer(function()
    writer:close()
  end)
  return writer
end

---Records without end until it is stopped.
---@param options table as in oracle_traffic.start
---@return spec.Traffic
function Oracle:start_traffic(options)
  return traffic.start(self, options)
end

---Reads what handlers wrote, and looks at what is committed.
---@param is_due? boolean also when it was looked at just now
function Oracle:sample(is_due)
  if not is_due and uv.hrtime() - self.sampled_at < SAMPLE_MS * 1000000 then
    return
  end
  self.sampled_at = uv.hrtime()
  local committed = self.watch:committed(1000)
  -- In this order: what ended before the commit is in the ledger by now.
  self.verdicts:read()
  if committed then
    self.samples = self.samples + 1
    self.verdicts:judge_commit(committed)
  end
  return committed
end

---The offset after the last record, by partition.
---@return table<integer, integer>
function Oracle:end_offsets()
  local offsets = {}
  for partition = 0, self.partitions - 1 do
    local _, high = assert(unit.kafka.watermarks(self.brokers, self.topic, partition))
    offsets[partition] = high
  end
  return offsets
end

return M

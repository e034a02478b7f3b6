-- One run of the program under an oracle that ends as soon as a verdict is broken.
--
-- Its verdicts are those of spec/chaos/README.md.

local broker = require("spec.support.broker")
local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")
local unit = require("unit")
local uv = require("luv")
local wait = require("spec.support.wait")

local M = {}

---@class spec.Trial
---@field brokers string
---@field judge spec.Oracle
---@field options table of the scenario
local Trial = {}
Trial.__index = Trial

-- A wait ends by itself; this is for one that does not.
local SPARE_MS = 60000

-- A fault has to be found in this time.
local LIMIT_MS = 120000

-- What a wait raises when a verdict is broken.
local BROKEN = setmetatable({}, { __tostring = function() return "a verdict is broken" end })

---@param brokers string
---@param options? table
---@return spec.Trial
function M.new(brokers, options)
  return setmetatable({ brokers = brokers, options = options or {}, members = {},
    till = uv.hrtime() + LIMIT_MS * wait.patience * 1000000 }, Trial)
end

---Runs the scenario to its end, or to the first broken verdict.
---@param scenario fun(trial: spec.Trial)
---@return string? verdict nil when all hold
---@return string? sentence
function Trial:run(scenario)
  local ok, message = xpcall(scenario, function(raised)
    return raised == BROKEN and raised or debug.traceback(tostring(raised))
  end, self)
  if not ok and message ~= BROKEN then
    error(message, 0)
  end
  return self.verdict, self.sentence
end

---Ends the trial.
---@param verdict string
---@param sentence string
function Trial:blame(verdict, sentence)
  self.verdict, self.sentence = verdict, sentence
  error(BROKEN, 0)
end

---The application; options as in oracle.new.
---@param options table
---@return spec.Oracle
function Trial:start(options)
  options.brokers = self.brokers
  if self.options.is_ordered ~= nil then
    options.is_ordered = self.options.is_ordered
  end
  self.judge = oracle.new(options)
  return self.judge
end

---Records that are there before anybody reads them.
---@param count integer
---@param keys integer the records go to these in turn
---@param event_of fun(number: integer): table what their handlers are asked to do
---@param batch? integer so many are written in one
function Trial:fill(count, keys, event_of, batch)
  local judge = self.judge
  local writer = judge:new_writer({ ["linger.ms"] = 2, ["batch.num.messages"] = batch or 1000 })
  for i = 1, count do
    traffic.send(writer, judge.topic, "order-" .. (i - 1) % keys, (i - 1) // keys + 1, event_of(i))
  end
  wait.till("all records to be acknowledged", 20000, function()
    return writer:counts() == count
  end)
end

function Trial:check_verdicts()
  for letter, sentences in pairs(self.judge.verdicts.sentences) do
    self:blame(letter, sentences[1])
  end
end

-- What a member did before it ended says more than its end.
function Trial:check_members()
  for member in pairs(self.members) do
    if not member.process:is_running() then
      self.judge.verdicts:read()
      self:check_verdicts()
      local assertion = member.process.output:text("stderr"):match("[^\n]*Assertion[^\n]*")
      self:blame("E", ("a member ended by itself, %s: %s"):format(member.process:how_it_ended(),
        assertion or member.process:tail(3)))
    end
  end
end

---What the oracle has found by now ends the trial.
function Trial:check()
  if uv.hrtime() >= self.till then
    error(("it is not over after %d s"):format(LIMIT_MS / 1000), 0)
  end
  self.judge:sample()
  self:check_verdicts()
  self:check_members()
end

---Waits for the condition; when it does not come true in time, the verdict is broken.
---@param verdict string
---@param what string
---@param deadline_ms integer
---@param condition fun(): any, ...
function Trial:wait(verdict, what, deadline_ms, condition)
  local till = uv.hrtime() + deadline_ms * wait.patience * 1000000
  local state
  local result = wait.till(what, deadline_ms + SPARE_MS, function()
    self:check()
    local is_met
    is_met, state = condition()
    return is_met and "met" or uv.hrtime() >= till and "late"
  end)
  if result == "late" then
    self:blame(verdict, ("waited %d ms for %s: %s"):format(deadline_ms, what, state))
  end
end

---Lets time go by.
---@param milliseconds integer
function Trial:pass(milliseconds)
  local till = uv.hrtime() + milliseconds * 1000000
  self:wait("Q", "time to pass", milliseconds + 10000, function()
    return uv.hrtime() >= till
  end)
end

---A member more.
---@param arguments? string[] more of `lagoon run`
---@return spec.Run
function Trial:come(arguments)
  local command = { "run", "--only", "consumers" }
  table.move(arguments or {}, 1, #(arguments or {}), #command + 1, command)
  local member = self.judge.app:start(command)
  self.members[member] = true
  self:wait("Q", "an assignment", 20000, function()
    return #member:log("^consumer orders: assigned ") > 0, member.process:tail(1)
  end)
  return member
end

---The member is stopped, and has to say by its exit code whether all was done.
---@param member spec.Run
---@param code? integer
function Trial:go(member, code)
  self.members[member] = nil
  member.process:signal("sigterm")
  self:wait("E", "the member's end", 20000, function()
    return not member.process:is_running(), member.process:tail(3)
  end)
  if member.process.code ~= (code or 0) then
    self:blame("E", ("a stop ended with %s, not exit code %d"):format(
      member.process:how_it_ended(), code or 0))
  end
end

---@param member spec.Run
function Trial:kill(member)
  self.members[member] = nil
  member.process:signal("sigkill")
  member.process:wait_exit()
end

---@param ends table<integer, integer> the offset after the last record, by partition
---@param deadline_ms integer
function Trial:wait_handled(ends, deadline_ms)
  local judge = self.judge
  self:wait("Q", "all records to be handled", deadline_ms, function()
    local missing = judge.verdicts:missing(ends)
    return #missing == 0, ("%d are missing, the first %s"):format(#missing, missing[1])
  end)
end

---@param ends table<integer, integer> the offset after the last record, by partition
---@param deadline_ms integer
function Trial:wait_committed(ends, deadline_ms)
  self:wait("Q", "all records to be committed", deadline_ms, function()
    for partition, offset in pairs(ends) do
      local committed = self.judge.verdicts.committed[partition] or 0
      if committed ~= offset then
        return false, ("[%d] %d of %d"):format(partition, committed, offset)
      end
    end
    return true
  end)
end

---Everything that was written is handled, and then committed.
---@param deadline_ms integer
function Trial:settle(deadline_ms)
  local ends = self.judge:end_offsets()
  self:wait_handled(ends, deadline_ms)
  self:wait_committed(ends, 10000)
end

---Nothing was handled twice.
function Trial:check_repeated()
  local repeated = self.judge.verdicts:repeated("begun")
  if repeated > 0 then
    self:blame("D", ("%d records were handled again, though every handler had time"):format(
      repeated))
  end
end

---How many records a topic of one partition has.
---@param topic string
---@return integer
function Trial:count(topic)
  local _, high = unit.kafka.watermarks(self.brokers, topic, 0)
  return high or 0
end

---A topic of one partition.
---@param word string
---@param settings? table<string, string>
---@return string name
function Trial:topic(word, settings)
  local name = broker.unique(word)
  assert(unit.kafka.create_topic(self.brokers, name, 1, 1, settings))
  return name
end

return M

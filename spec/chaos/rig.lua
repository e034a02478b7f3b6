-- What a scenario plays with: time, lines, waits, and an oracle that looks on meanwhile.
--
-- The oracle is this very process, which nothing kills. It sees every handler begin and end, and
-- what is committed, ten times a second.

local dice = require("spec.chaos.dice")
local directory = require("spec.support.directory")
local phases = require("spec.chaos.phases")
local report = require("spec.chaos.report")
local uv = require("luv")

local M = {}

-- Raised when a promise is broken, so that nobody waits for the end of such a run.
M.BROKEN = "a promise is broken"

local LOOK_MS = 100
-- By then a process has said in its log what it lost.
local SUSPICION_MS = 3000

---@class spec.Rig
---@field scenario spec.Scenario
---@field seed integer
---@field records integer at least so many
---@field count integer how many faults
---@field rate integer? records a second
---@field lasts_s integer for how long what happens goes on
---@field dice fun(first: integer, last: integer): integer of the faults
---@field brokers string
---@field kafka table? what the scenario started, or one node
---@field judge spec.Oracle
---@field members spec.Members
---@field bound spec.Bound
---@field traffic spec.Traffic
---@field leftovers integer what stood in the way of an order because it was left over, and said so
local Rig = {}
Rig.__index = Rig

---@param scenario spec.Scenario
---@param options {seed: integer, records: integer?, faults: integer?, seconds: integer?,
--- rate: integer?, brokers: string?}
---@return spec.Rig
function M.new(scenario, options)
  local self = setmetatable({
    scenario = scenario,
    seed = options.seed,
    records = options.records or scenario.records,
    count = options.faults or scenario.count or 0,
    rate = options.rate or scenario.rate,
    lasts_s = options.seconds or scenario.seconds or 0,
    given_brokers = options.brokers,
    dice = dice.new(options.seed, "faults"),
    began = uv.hrtime(),
    leftovers = 0,
    suspicions = {},
    publishing = {}, -- "key number" of what publishes
  }, Rig)
  return self
end

---@return number since the start
function Rig:seconds()
  return (uv.hrtime() - self.began) / 1e9
end

---A line with the time since the start.
function Rig:say(...)
  print(("%7.1f s  %s"):format(self:seconds(), (...):format(select(2, ...))))
  io.stdout:flush()
end

---The same, of something that was done to the members or to Kafka.
function Rig:fault(...)
  self.last_fault = uv.hrtime()
  self:say(...)
end

-- No fault when one of the processes had been frozen, had lost its partitions or given them back
-- with handlers that ran: it began or ended what another had been given. Whether that is so, its
-- log tells a little later.
function Rig:judge_suspicions()
  local now = uv.hrtime()
  while self.suspicions[1] and now - self.suspicions[1].seen >= SUSPICION_MS * 1000000 do
    local suspicion = table.remove(self.suspicions, 1)
    if self.members:was_loose(suspicion.pid, suspicion.seen)
      or self.members:was_loose(suspicion.other_pid, suspicion.seen) then
      self.leftovers = self.leftovers + 1
    else
      self.judge.verdicts:blame("O", suspicion.sentence)
    end
  end
end

function Rig:look()
  if uv.hrtime() - (self.looked_at or 0) < LOOK_MS * 1000000 then
    return
  end
  self.looked_at = uv.hrtime()
  self.bound:measure()
  self.members:look()
  self:judge_suspicions()
  if self.is_interrupted then
    error("interrupted", 0)
  end
  if report.is_broken(self) then
    error(M.BROKEN, 0)
  end
end

---Waits for the condition while everything goes on.
---@param what string
---@param deadline_ms integer
---@param condition fun(): any, ...
function Rig:wait(what, deadline_ms, condition)
  return self.judge:wait(what, deadline_ms, function()
    self:look()
    return condition()
  end)
end

---Lets time pass.
---@param milliseconds integer
function Rig:pass(milliseconds)
  local till = uv.hrtime() + milliseconds * 1000000
  self:wait("time to pass", milliseconds + 60000, function()
    return uv.hrtime() >= till
  end)
end

---Waits until what was sent after this moment has been handled in every partition.
---@param deadline_ms? integer
function Rig:wait_progress(deadline_ms)
  self:wait("progress in every partition", deadline_ms or 60000, self.judge:progress())
end

---Plays it to its end, or until a promise is broken.
---@return boolean is_good, integer passed, integer failed
function Rig:run()
  local ok, message = xpcall(phases.play, function(raised)
    return raised == M.BROKEN and raised or debug.traceback(raised, 2)
  end, self)
  if not ok then
    self.stopped_by = message
  end
  return report.tell(self)
end

---The logs of all members and the ledger in a folder, for whoever looks for what went wrong.
---@param folder string
function Rig:keep_logs(folder)
  directory.make(folder)
  if self.judge then
    uv.fs_copyfile(self.judge.app.folder .. "/ledger", folder .. "/ledger")
  end
  for _, member in ipairs(self.members and self.members.all or {}) do
    directory.write(("%s/member-%d.log"):format(folder, member.number),
      ("# %s, pid %d, %s\n%s\n"):format(member.name, member.pid, member.run.process:how_it_ended(),
        table.concat(member.run.process.output.lines, "\n")))
  end
end

return M

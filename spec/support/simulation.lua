-- A seeded game: random steps of workers, of main, of an operator and of the broker over the real
-- modules that decide, each checked against the model. There are two kinds: in one the dispatcher,
-- the offsets and the schedule of retries are used in every way that their headers allow
-- (simulation_steps.lua), in the other they are used by the consumer's own partitions
-- (simulation_consumer.lua).
--
-- A game is repeated by its seed. Each step draws from a seed of its own, so that the others stay
-- what they are when one is left out.

local model = require("spec.support.model")
local model_wakes = require("spec.support.model_wakes")
local simulation_consumer = require("spec.support.simulation_consumer")
local simulation_crew = require("spec.support.simulation_crew")
local simulation_steps = require("spec.support.simulation_steps")
local unit = require("unit")

local M = {}

---@class spec.Game
local Game = {}
Game.__index = Game

local WORKERS = 5
-- So few that workers are spared now and then.
local CPUS, PACE = 2, 4
local LANES = 3
local LONG_KEY = ("long"):rep(30)

local DISTRIBUTIONS = { "key", "key", "partition", "free_worker" }
local KINDS = { simulation_steps, simulation_consumer }

local function new_game(seed)
  math.randomseed(seed, 0)
  local distribution = DISTRIBUTIONS[math.random(#DISTRIBUTIONS)]
  local self = setmetatable({
    dispatcher = unit.dispatcher.new(distribution, WORKERS, CPUS, PACE),
    model = model.new(distribution),
    crew = simulation_crew.new(WORKERS, distribution == "partition"),
    records = {}, -- by pointer
    running = {},
    lanes = {},
    begun = {}, -- by worker: how many records
    next_id = 1,
    pace = math.random(3), -- how readily records are read
    events = 0, -- that there would be to tell of
    kind = KINDS[seed % #KINDS + 1],
  }, Game)
  self.wakes = model_wakes.new(self.model, CPUS, PACE)
  for worker = 1, WORKERS do
    self.begun[worker] = 0
  end
  self.kind.open(self, LANES)
  return self
end

local function random_key()
  local draw = math.random(20)
  return draw <= 6 and "hot" or draw <= 9 and "" or draw == 10 and LONG_KEY
    or draw <= 13 and "warm" .. math.random(2) or draw <= 16 and "k" .. math.random(12) or nil
end

---The next entry of the lane's log, which grows as it is read; offsets have holes.
function Game.next_entry(_, lane)
  local entry = lane.log[lane.next]
  if not entry then
    local offset = lane.log_end + (math.random(5) == 1 and math.random(4) or 0)
    entry = { offset = offset, key = random_key() }
    lane.log[lane.next], lane.log_end = entry, offset + 1
  end
  lane.next = lane.next + 1
  return entry
end

---The record that was made of the entry.
function Game:enter(lane, entry, pointer)
  model.check(not self.records[pointer], "a record was freed that is not done with")
  local rec = { id = self.next_id, pointer = pointer, lane = lane, offset = entry.offset,
    key = entry.key, epoch = lane.epoch }
  self.next_id = self.next_id + 1
  self.records[pointer] = rec
  self:note("lane %d reads record %d, offset %d, key %s", lane.index, rec.id, rec.offset, rec.key)
  return rec
end

---A worker took something, or nothing.
function Game:take(worker, pointer)
  local rec = pointer and self.records[pointer]
  model.check(not pointer or rec, "an unknown record was taken")
  self.wakes:answer(worker)
  if self.model:has_backlog() and not self.wakes:begin(worker) then
    model.check(not rec, "worker %d took something, though it is one too many", worker)
    self:note("worker %d is one too many", worker)
    self.wakes:sleep(worker)
    return
  end
  self.model:take(rec)
  self:note("worker %d takes %s", worker, rec and rec.id or "nothing")
  if not rec then
    self.wakes:sleep(worker)
    return
  end
  rec.worker = worker
  self.begun[worker] = self.begun[worker] + 1
  table.insert(self.running, rec)
end

---After each step: whom it woke, and what can be counted.
function Game:check(has_finished)
  self.wakes:check(has_finished, self.dispatcher:woken())
  local lane = self.lanes[math.random(LANES)]
  local running = self.dispatcher:running(lane.handle)
  model.check(running == lane.running, "lane %d has %d running", lane.index, running)
  model.check(self.dispatcher:running_all() == self.model.running, "running of all")
  self.kind.check(self, lane)
end

function Game:note(...)
  self.events = self.events + 1
  if self.tell then
    self.tell(string.format(...))
  end
end

local function play(self, seed, numbers)
  for _, number in ipairs(numbers) do
    math.randomseed(seed, number)
    self:check(self.kind.step(self))
  end
  math.randomseed(seed, 0)
  self.kind.finish_all(self)
  for name, left in pairs(self.dispatcher:counts()) do
    model.check(left == 0, "%d %s are left at the end", left, name)
  end
  model.check(next(self.records) == nil, "records are lost")
  self.kind.close(self)
  self.dispatcher:destroy()
end

---Plays one game; raises when a promise is broken.
---@param seed integer
---@param numbers integer[] which of its steps
---@return table<string, integer> seen how often there was what makes it worth while
---@return integer events
function M.play(seed, numbers)
  local self = new_game(seed)
  play(self, seed, numbers)
  local seen = self.model.seen
  for _, part in ipairs({ self.wakes, self.parked, self.crew, self.crew.model, self.endings }) do
    for name, times in pairs(part.seen) do
      seen[name] = times
    end
  end
  return seen, self.events
end

---Plays it and tells what happens, a line at a time.
---@param seed integer
---@param numbers integer[]
---@param tell fun(line: string)
function M.tell(seed, numbers, tell)
  local self = new_game(seed)
  self.tell = tell
  play(self, seed, numbers)
end

return M

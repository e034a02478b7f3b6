-- The workers of a simulated game, who come and go as the scaler wants, as those of a pool do.

local lists = require("spec.support.simulation_lists")
local model_scaler = require("spec.support.model_scaler")
local unit = require("unit")

local M = {}

---@class spec.Crew
---@field states ("running"|"retiring"|"gone")[] by worker
local Crew = {}
Crew.__index = Crew

---@param max integer
---@param is_by_partition boolean
---@return spec.Crew
function M.new(max, is_by_partition)
  local limits = { min = math.random(2), max = max, lag_threshold = math.random(4, 40),
    is_by_partition = is_by_partition }
  local self = setmetatable({
    scaler = unit.scaler.new(limits),
    model = model_scaler.new(limits),
    now_ms = math.random(100000),
    states = {},
    seen = { retired = 0, taken_back = 0, woken_in_vain = 0 },
  }, Crew)
  for worker = 1, max do
    self.states[worker] = worker <= limits.min and "running" or "gone"
  end
  return self
end

---@return integer worker any that runs
function Crew:pick()
  return lists.pick(self:all("running"))
end

---@param state string
---@return integer[] workers
function Crew:all(state)
  local workers = {}
  for worker, of_worker in ipairs(self.states) do
    if of_worker == state then
      table.insert(workers, worker)
    end
  end
  return workers
end

---@param worker integer
---@return boolean
function Crew:is_running(worker)
  return self.states[worker] == "running"
end

-- Somebody who retires is taken back first.
function Crew:grow()
  local worker = self:all("retiring")[1]
  if worker then
    self.seen.taken_back = self.seen.taken_back + 1
  else
    worker = self:all("gone")[1]
  end
  self.states[worker] = "running"
end

---As many as are wanted from here on.
---@param wanted integer
function Crew:resize(wanted)
  while #self:all("running") < wanted do
    self:grow()
  end
  while #self:all("running") > wanted do
    self.states[self:pick()] = "retiring"
    self.seen.retired = self.seen.retired + 1
  end
end

local function lag_of(game)
  local lag, partitions = 0, 0
  for _, lane in ipairs(game.lanes) do
    if lane.tracker then
      lag = lag + lane.tracker:unsettled() + math.random(0, 10)
      partitions = partitions + 1
    end
  end
  return lag, partitions
end

---Time goes by, and the scaler is asked.
---@param game spec.Game
function M.scale(game)
  local crew = game.crew
  crew.now_ms = crew.now_ms + math.random(math.random(2) == 1 and 900 or 60000)
  local lag, partitions = lag_of(game)
  local sight = { lag = lag, partitions = partitions, is_unknown = math.random(6) == 1 }
  local wanted = crew.scaler:wanted(sight, crew.now_ms)
  crew.model:answer(sight, crew.now_ms, wanted)
  game:note("with a lag of %d %d workers are wanted", lag, wanted)
  crew:resize(wanted)
end

---A retiring worker has noticed: it waits for no record any more, and goes when its hands are
---empty.
---@param game spec.Game
function M.go(game)
  local crew = game.crew
  local retiring = crew:all("retiring")
  if #retiring == 0 then
    return
  end
  local worker = lists.pick(retiring)
  crew.seen.woken_in_vain = crew.seen.woken_in_vain + (game.wakes.woken == worker and 1 or 0)
  game.wakes:answer(worker)
  game.dispatcher:leave(worker)
  if game.begun[worker] == 0 then
    game:note("worker %d goes", worker)
    crew.states[worker] = "gone"
  end
end

return M

-- A game of the dispatcher, the offsets and the schedule of retries, used in every way that their
-- headers allow.

local crew = require("spec.support.simulation_crew")
local lists = require("spec.support.simulation_lists")
local main = require("spec.support.simulation_main")
local model = require("spec.support.model")
local model_offsets = require("spec.support.model_offsets")
local model_retries = require("spec.support.model_retries")
local partitions = require("spec.support.simulation_partitions")
local unit = require("unit")
local workers = require("spec.support.simulation_workers")

local M = {}

local PATIENCE = 100000

---@param game spec.Game
---@param lanes integer
function M.open(game, lanes)
  game.retries, game.parked = unit.retries.new(), model_retries.new()
  game.next_epoch = 1
  for index = 1, lanes do
    local lane = model.new_lane()
    lane.index, lane.handle = index, game.dispatcher:lane("orders", index)
    lane.kept, lane.awaited = {}, {}
    lane.log, lane.log_end = {}, 0
    lane.offsets = model_offsets.new(lane.log)
    game.lanes[index] = lane
  end
end

---@param game spec.Game
function M.close(game)
  model.check(not game.retries:next(), "a record that is gone waits for its retry")
  game.retries:destroy()
end

function M.check()
end

local VERDICTS = { "keep", "keep", "keep", "hold" }

local function finish(game)
  return workers.finish(game, function()
    return math.random(5) == 1 and lists.pick(VERDICTS) or "release"
  end)
end

local DRAWN = lists.weighted({
  { workers.take, 30 },
  { finish, 34 },
  { workers.leave, 3 },
  { workers.wait, 3 },
  { crew.scale, 4 },
  { crew.go, 4 },
  { main.push, 24 },
  { main.collect, 10 },
  { main.acknowledge, 8 },
  { main.decide, 8 },
  { main.retry, 8 },
  { main.tick, 1 },
  { main.need, 2 },
  { main.ration, 1 },
  { main.unration, 6 },
  { main.hold, 1 },
  { main.resume, 10 },
  { main.skip, 1 },
  { partitions.commit, 4 },
  { partitions.answer_commit, 3 },
  { partitions.drain, 1 },
  { partitions.revoke, 1 },
  { partitions.drop, 4 },
  { partitions.lose, 1 },
  { partitions.seek, 1 },
  { partitions.assign, 12 },
})

---One step; says whether a record ended by it.
---@param game spec.Game
---@return boolean has_finished
function M.step(game)
  return lists.pick(DRAWN)(game, lists.pick(game.lanes)) == true
end

local function is_settled(game)
  local unsettled = #game.running
  for _, lane in ipairs(game.lanes) do
    unsettled = unsettled + (lane.is_revoked and 0 or lane.tracker:unsettled())
  end
  return unsettled == 0
end

---Lets everything end that has begun, handles what was read, then gives all back.
---@param game spec.Game
function M.finish_all(game)
  for _, lane in ipairs(game.lanes) do
    partitions.assign(game, lane)
  end
  main.unration(game)
  game:check(false)
  local left = PATIENCE
  while not is_settled(game) do
    local lane = lists.pick(game.lanes)
    if lane.is_held then
      main.resume(game, lane)
      game:check(false)
    end
    local step = lists.pick({ workers.take, finish, main.collect, main.acknowledge, main.decide,
      main.retry, crew.go })
    game:check(step(game, lane) == true)
    left = left - 1
    assert(left > 0, "it comes to no end")
  end
  main.collect(game)
  for _, lane in ipairs(game.lanes) do
    partitions.lose(game, lane)
  end
  for worker = 1, #game.begun do
    game.dispatcher:leave(worker)
  end
end

return M

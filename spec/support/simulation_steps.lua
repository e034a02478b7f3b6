-- What happens in a simulated game, a step at a time. A worker's part, which is here, is that of a
-- thread with a few handlers begun.

local crew = require("spec.support.simulation_crew")
local lists = require("spec.support.simulation_lists")
local main = require("spec.support.simulation_main")
local partitions = require("spec.support.simulation_partitions")

local M = {}

local HANDS = 3
local PATIENCE = 100000

local function take(game)
  local worker = game.crew:pick()
  local is_due = game.wakes.woken == worker or game.wakes:is_awake(worker) or math.random(8) == 1
  if game.begun[worker] < HANDS and is_due then
    game:take(worker, game.dispatcher:take(worker))
  end
end

local function leave(game)
  local worker = game.crew:pick()
  game:note("worker %d turns to something else", worker)
  game.wakes:answer(worker)
  game.dispatcher:leave(worker)
end

local VERDICTS = { "keep", "keep", "keep", "hold" }

local function finish(game)
  if #game.running == 0 then
    return false
  end
  local rec = lists.take_out(game.running, math.random(#game.running))
  local verdict = math.random(5) == 1 and lists.pick(VERDICTS) or "release"
  local worker = rec.worker
  game.begun[worker] = game.begun[worker] - 1
  game.model:finish(rec, verdict)
  game:note("record %d ends: %s", rec.id, verdict)
  if not game.crew:is_running(worker) or math.random(4) == 1 then
    game.dispatcher:finish(rec.pointer, verdict)
  else
    game:take(worker, game.dispatcher:finish(rec.pointer, verdict, worker))
  end
  return true
end

local WEIGHTS = {
  { take, 30 },
  { finish, 34 },
  { leave, 3 },
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
  { partitions.revoke, 1 },
  { partitions.drop, 4 },
  { partitions.lose, 1 },
  { partitions.seek, 1 },
  { partitions.assign, 12 },
}

local drawn = {}
for _, weight in ipairs(WEIGHTS) do
  for _ = 1, weight[2] do
    table.insert(drawn, weight[1])
  end
end

---One step; says whether a record ended by it.
---@param game spec.Game
---@return boolean has_finished
function M.random(game)
  return lists.pick(drawn)(game, lists.pick(game.lanes)) == true
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
    local step = lists.pick({ take, finish, main.collect, main.acknowledge, main.decide,
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

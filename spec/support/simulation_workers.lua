-- A worker's part in a simulated game: that of a thread with a few handlers begun.

local lists = require("spec.support.simulation_lists")

local M = {}

local HANDS = 3

function M.take(game)
  local worker = game.crew:pick()
  local is_due = game.wakes.woken == worker or game.wakes:is_awake(worker) or math.random(8) == 1
  if game.begun[worker] < (game.hands or HANDS) and is_due then
    game:take(worker, game.dispatcher:take(worker))
  end
end

---A handler of its waits.
function M.wait(game)
  local worker = game.crew:pick()
  game.wakes:wait(worker)
  game.dispatcher:wait(worker)
end

function M.leave(game)
  local worker = game.crew:pick()
  game:note("worker %d turns to something else", worker)
  game.wakes:answer(worker)
  game.dispatcher:leave(worker)
end

---@param draw fun(game: spec.Game, rec: table): string says how a record's strand goes on
---@return boolean has_finished
function M.finish(game, draw)
  if #game.running == 0 then
    return false
  end
  local rec = lists.take_out(game.running, math.random(#game.running))
  local verdict = draw(game, rec)
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

return M

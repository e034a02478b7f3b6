-- The commits of a game of partitions, and what else moves a position.

local check = require("spec.support.model").check
local main = require("spec.support.simulation_main")

local M = {}

---The broker takes it or not; its answer comes later.
function M.send(game, lane)
  local tracker = lane.tracker
  if not tracker or lane.commit or tracker:position() <= tracker:committed() then
    return
  end
  local position = tracker:position()
  game:note("lane %d commits %d", lane.index, position)
  lane.commit = { epoch = lane.epoch, position = position, is_accepted = math.random(4) > 1 }
  if lane.commit.is_accepted then
    lane.offsets:commit(position, tracker)
    lane.has_commit = true
  end
end

function M.answer(game, lane)
  local commit = lane.commit
  lane.commit = nil
  if not commit or not commit.is_accepted then
    return
  end
  game:note("lane %d has committed %d in epoch %d", lane.index, commit.position, commit.epoch)
  game.intake:mark_committed(lane.partition, commit.epoch, commit.position)
  if commit.epoch == lane.epoch then
    lane.is_gated = false
    check(lane.tracker:committed() == commit.position, "a commit's answer is not believed")
  elseif lane.tracker then
    check(lane.tracker:committed() < 0 or lane.tracker:committed() <= lane.tracker:position(),
      "an older epoch's commit counts")
  end
end

function M.skip(game, lane)
  main.skip_by(game, lane, function(position)
    game.intake:skip_to(lane.partition, position)
  end)
end

return M

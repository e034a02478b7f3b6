-- How partitions are given back in a game of partitions: by the program's own drain, in the game's
-- time.

local commits = require("spec.support.simulation_commits")
local drain = require("unit").drain
local ends = require("spec.support.simulation_ends")
local epochs = require("spec.support.simulation_epochs")
local model = require("spec.support.model")
local model_drains = require("spec.support.model_drains")

local M = {}

local check = model.check

-- Those of a revoke, of a stop, or of a revoke in a stop.
local function draw_limits(now)
  local draw = math.random(3)
  if draw == 1 then
    return drain.of_revoke(now, math.random(0, 600), math.random(0, 2000))
  end
  local interrupt = now + math.random(0, 600)
  local limits = drain.of_stop(now, interrupt, interrupt + math.random(0, 400))
  return draw == 2 and limits or drain.in_stop(limits, now, math.random(0, 2000))
end

---The group wants the partition, or the process stops.
function M.revoke(game, lane)
  if not lane.tracker or lane.drain then
    return
  end
  lane.limits = draw_limits(game.parked.now)
  lane.drain, lane.drained = drain.new(lane.limits), model_drains.new()
  game:note("lane %d is revoked at %d, until %d, %d, %d, %d", lane.index, game.parked.now,
    lane.limits.begin, lane.limits.handlers, lane.limits.deliveries, lane.limits.commit)
  game.intake:drain(lane.partition)
  lane.is_revoked, lane.is_finishing = true, not lane.is_stopped and not game.endings.is_open
  lane.drained.is_in_time, lane.drained.hindrance = lane.is_finishing,
    model_drains.first_hindrance(lane)
  ends.give_back(game, lane, lane.is_finishing and lane.drained.hindrance or nil)
end

local STEPS = {}

STEPS["give back"] = function(game, lane)
  lane.is_finishing = false
  game.intake:revoke(lane.partition)
  ends.give_back(game, lane)
end

STEPS.collect = ends.collect
STEPS["let go"] = function() end
STEPS.commit = commits.send

STEPS["end"] = function(game, lane)
  lane.drained:check(game, lane)
  epochs.lose(game, lane)
end

---It goes on, as far as it can.
function M.go_on(game, lane)
  while lane.drain do
    local sight = game.intake:sight(lane.partition)
    model_drains.check_sight(game, lane, sight)
    sight.in_flight, sight.lost = lane.commit ~= nil, lane.is_lost
    local step = lane.drain:step(sight, game.parked.now)
    lane.drained:note(game, lane, step, sight)
    if step == "wait" then
      return
    end
    game:note("lane %d: the drain goes on: %s", lane.index, step)
    STEPS[step](game, lane)
    check(lane.drain or step == "end", "the drain of lane %d is gone", lane.index)
  end
end

---The group has given the member up meanwhile.
function M.lose(game, lane)
  if lane.drain and not lane.is_lost then
    game:note("lane %d is lost in its drain", lane.index)
    lane.is_lost = true
  end
end

return M

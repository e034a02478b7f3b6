-- How a handler ends in a game of partitions, and the ways that its record may go then.

local lists = require("spec.support.simulation_lists")
local model = require("spec.support.model")
local workers = require("spec.support.simulation_workers")

local M = {}

local check = model.check

local ASKED = { "skipped", "dead_letter" }
local UNHANDLED = { "unknown_type", "invalid" } -- no handler ran, so nothing was published

-- --- a record's ways ---

---Nothing is known of the record any more when its last report has come.
function M.forget_at_last(game, rec)
  if rec.is_gone and rec.open == 0 then
    game.records[rec.pointer] = nil
  end
end

-- Neither the strand nor the window has it any more.
local function leave(game, rec)
  rec.state, rec.is_gone = "out", true
  if rec.epoch == rec.lane.epoch then
    rec.lane.live = rec.lane.live - 1
  end
  game.parked:remove(rec)
  if rec.letter == "waiting" then
    lists.remove(game.letters, rec)
    rec.letter = nil
  end
  M.forget_at_last(game, rec)
end

---The record is somebody else's to handle.
function M.drop(game, rec)
  game:note("record %d is dropped", rec.id)
  leave(game, rec)
end

---All that the record was for is done.
function M.settle(game, rec)
  game:note("record %d is settled", rec.id)
  leave(game, rec)
  rec.lane.offsets:settle(rec, rec.lane.tracker)
end

---Nothing further of the lane starts, and what has not begun is given back.
function M.stop(game, rec)
  local lane = rec.lane
  game:note("lane %d stops", lane.index)
  rec.has_stopped, lane.is_resuming = true, false
  lane.left_strand = lane.left_strand or rec.has_ended and rec.state == "out"
  lane.unended = lane.unended + (rec.has_ended and 0 or 1)
  lane.is_stopped, lane.is_held, lane.gives_back_from = true, true, -math.huge
end

-- It waits for its next run; how long is the schedule's, within the limits of the config.
local function park(game, rec)
  local due, config = game.intake:due(rec.pointer), game.config
  check(due, "record %d waits for nothing", rec.id)
  local pause = due - game.parked.now
  local least = rec.after or config.backoff_ms // 2
  if rec.attempt > config.retries and game.endings.is_open then
    least = config.max_backoff_ms
  end
  check(pause >= least and pause <= math.max(least, config.max_backoff_ms),
    "record %d waits %d ms", rec.id, pause)
  rec.attempt = rec.attempt + (rec.is_uncounted and 0 or 1)
  rec.run, rec.published, rec.acknowledged, rec.refused = rec.run + 1, 0, 0, nil
  game:note("record %d is to run again at %d", rec.id, due)
  game.parked:add(rec, due)
end

local APPLY = {
  settled = M.settle,
  dropped = M.drop,
  parked = park,
  awaited = function(game, rec)
    game:note("record %d waits for its deliveries", rec.id)
    rec.is_awaited = true
  end,
  lettered = function(game, rec)
    game:note("record %d is given up", rec.id)
    rec.is_over, rec.letter = true, "waiting"
    table.insert(game.letters, rec)
  end,
  stuck = function(game, rec)
    rec.is_over = true
    M.drop(game, rec)
  end,
  kept = function(_, rec)
    rec.is_over = true
  end,
}

local SEEN = { parked = "tried_again", kept = "stuck" }

---What was decided of the record happens.
function M.apply(game, rec, fate)
  local seen, name = game.endings.seen, SEEN[fate] or fate
  seen[name] = seen[name] + 1
  APPLY[fate](game, rec)
end

-- --- workers ---

local function draw(game, rec)
  local lot = game.is_ending and 100 or math.random(100)
  rec.outcome = lot > game.trouble and "done" or lot > 10 and "failed"
    or lists.pick(lot > 5 and rec.published == 0 and UNHANDLED or ASKED)
  rec.is_uncounted = rec.outcome == "failed" and math.random(8) == 1
  rec.after = rec.outcome == "failed" and math.random(6) == 1 and math.random(0, 500) or nil
  game:note("record %d: %s, %d published", rec.id, rec.outcome, rec.published)
  local verdict = game.intake:outcome(rec.pointer, rec.outcome, rec.published, rec.is_uncounted,
    rec.after)
  game.endings:check_verdict(rec, verdict)
  return verdict
end

function M.finish(game)
  return workers.finish(game, draw)
end

function M.publish(game)
  if #game.running > 0 then
    local rec = lists.pick(game.running)
    rec.published, rec.open = rec.published + 1, rec.open + 1
    table.insert(game.deliveries, { rec = rec, run = rec.run })
  end
end

return M

-- Main's and the worker's part in a game of partitions: how a handler ends, and what becomes of its
-- record.

local lists = require("spec.support.simulation_lists")
local main = require("spec.support.simulation_main")
local model = require("spec.support.model")
local workers = require("spec.support.simulation_workers")

local M = {}

local check = model.check

local ASKED = { "skipped", "dead_letter" }
local UNHANDLED = { "unknown_type", "invalid" } -- no handler ran, so nothing was published
local LONGEST_PAUSE_MS = 100

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

-- --- main ---

---What has not begun is given back; but one whose dead letter is under way is nearly done with.
---@param from? integer as in spec.support.model
function M.give_back(game, lane, from)
  local limit = from and math.min(from, lane.begun_end) or -math.huge
  if lane.is_revoked then
    model.limit(lane, from)
  end
  for _, rec in ipairs(lane.delivered) do
    local is_unstarted = (rec.state == "waiting" or rec.state == "kept")
      and rec.offset >= limit
    if is_unstarted and rec.letter then
      rec.state = "out"
    elseif is_unstarted then
      M.drop(game, rec)
    end
  end
end

-- In a drain whose other records may begin yet it leaves with all that stands behind it, later.
local function end_finishing(rec)
  local from = rec.wish == "stop" and -math.huge or rec.offset
  rec.has_ended, rec.is_over = true, true
  rec.lane.gives_back_from = math.min(rec.lane.gives_back_from or math.huge, from)
  rec.lane.drained.is_in_time = rec.lane.drained.is_in_time and rec.wish ~= "stop"
end

local function end_record(game, rec)
  local fate = game.endings:fate(rec)
  local is_kept = rec.state == "kept" and rec.epoch == rec.lane.epoch
  if rec.has_stopped and rec.epoch == rec.lane.epoch then
    rec.lane.unended = rec.lane.unended - 1
  end
  local leaves = is_kept and rec.lane.is_revoked and not rec.lane.is_finishing
  game.intake:end_record(rec.pointer)
  if is_kept and fate == "dropped" and rec.lane.is_finishing then
    end_finishing(rec)
    return
  elseif leaves then
    rec.state = "out"
  end
  rec.has_ended = true
  -- One whose delivery was refused has stopped it by the report already, if that was to stop it.
  if (fate == "kept" or fate == "stuck") and rec.refused ~= "stop" then
    M.stop(game, rec)
  elseif fate == "kept" then
    rec.lane.gives_back_from = -math.huge
  end
  M.apply(game, rec, fate)
end

---What is due to be given back is; then it is not due any more.
function M.give_back_due(game, lane)
  if lane.gives_back_from and lane.tracker then
    M.give_back(game, lane, lane.gives_back_from)
  end
  lane.gives_back_from = nil
end

function M.collect(game)
  local quiet = {}
  for _, lane in ipairs(game.lanes) do
    game.intake:note_quiet(lane.partition)
    quiet[lane] = lane.running == 0
  end
  main.collect_by(game, end_record)
  for _, lane in ipairs(game.lanes) do
    game.intake:give_back(lane.partition)
    M.give_back_due(game, lane)
    game.go_on(game, lane, quiet[lane])
  end
end

-- Time goes on: what is due runs again.
function M.retry(game)
  game.parked.now = game.parked.now + math.random(0, LONGEST_PAUSE_MS)
  game.intake:set_clock(game.parked.now)
  local pointer
  repeat
    pointer = game.intake:rerun()
    local rec = pointer and game.records[pointer]
    game.parked:pop(rec)
    if rec then
      game:note("record %d runs again", rec.id)
      rec.has_ended = false
      game.model:rerun(rec)
      game:check(false)
    end
  until not pointer
end

---As a turn of main does: while the breaker is open records start by ration alone.
function M.apply_breaker(game)
  local is_open = game.endings.is_open
  if is_open == (game.model.ration ~= math.huge) then
    return
  end
  game:note("the breaker is %s", is_open and "open" or "closed")
  game.model.ration = is_open and 0 or math.huge
  game.dispatcher:ration(is_open and 0 or nil)
end

function M.ration(game)
  if game.model.ration ~= math.huge then
    game:note("one more may start")
    game.model.ration = 1
    game.model.seen.rations = game.model.seen.rations + 1
    game.dispatcher:ration(1)
  end
end

return M

-- Main's part in a game of partitions: what becomes of a record whose handler has ended, what is
-- given back, and what runs again.

local main = require("spec.support.simulation_main")
local model = require("spec.support.model")
local outcomes = require("spec.support.simulation_outcomes")

local M = {}

local LONGEST_PAUSE_MS = 100

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
      outcomes.drop(game, rec)
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
    outcomes.stop(game, rec)
  elseif fate == "kept" then
    rec.lane.gives_back_from = -math.huge
  end
  outcomes.apply(game, rec, fate)
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

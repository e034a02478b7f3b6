-- An operator's part in a game of partitions: one that was stopped starts again.

local ends = require("spec.support.simulation_ends")
local epochs = require("spec.support.simulation_epochs")
local lists = require("spec.support.simulation_lists")
local model = require("spec.support.model")

local M = {}

local check = model.check

-- It is read again from the oldest record that was given back.
local function begin_again(game, lane, offset)
  ends.give_back_due(game, lane)
  lane.is_stopped, lane.is_held, lane.is_resuming, lane.left_strand = false, false, false, false
  local first = lane.tracker:delivered()
  for _, rec in ipairs(lane.delivered) do
    if rec.is_gone and not rec.is_settled then
      first = math.min(first, rec.offset)
    end
  end
  game:note("lane %d starts again at %d", lane.index, offset)
  check(offset == first, "lane %d starts again at %d instead of %d", lane.index, offset, first)
  epochs.read_from(lane, offset)
  game.endings.seen.resumes = game.endings.seen.resumes + 1
end

function M.resume(game, lane)
  if not lane.tracker or not lane.is_stopped then
    return
  end
  local offset, reason = game.intake:resume(lane.partition)
  local is_refused = lane.is_revoked or lane.is_without_start
  check((reason ~= nil) == is_refused, "lane %d can be resumed or not: %s", lane.index, reason)
  if is_refused then
    return
  end
  local has_to_wait = lane.left_strand or lane.unended > 0
  check(has_to_wait == not offset, "lane %d has to wait or not", lane.index)
  lane.is_resuming = true
  if offset then
    begin_again(game, lane, offset)
  else
    game:note("lane %d is to start again", lane.index)
  end
end

---What ran when it was asked to start again has ended and was collected.
function M.go_on(game, lane, was_quiet)
  local offset = game.intake:go_on(lane.partition)
  local is_due = lane.tracker and lane.is_stopped and lane.is_resuming and was_quiet
    and not lane.is_revoked
  check((offset ~= nil) == (is_due == true), "lane %d starts again or not", lane.index)
  if offset then
    begin_again(game, lane, offset)
  end
end

---A record that stopped its partition counts as skipped; no other one does.
function M.skip(game, lane)
  if not lane.tracker or not lane.is_stopped or #lane.delivered == 0 then
    return
  end
  local rec = lists.pick(lane.delivered)
  for _, other in ipairs(lane.delivered) do
    if other.has_stopped and math.random(3) > 1 then
      rec = other
    end
  end
  game:note("record %d is to be skipped", rec.id)
  local reason = game.intake:skip(lane.partition, rec.offset)
  ends.give_back_due(game, lane)
  local may = lane.unended == 0 and rec.has_stopped and rec.is_gone and not rec.is_settled
  check((reason == nil) == (may == true), "record %d is skipped or not: %s", rec.id, reason)
  if not reason then
    lane.offsets:settle(rec, lane.tracker)
    game.endings.seen.skips = game.endings.seen.skips + 1
  end
end

return M

-- The broker's part in a game of partitions: what it says to what was published, and to dead
-- letters.

local lists = require("spec.support.simulation_lists")
local outcomes = require("spec.support.simulation_outcomes")

local M = {}

-- What the report of a delivery comes to.
local function take_report(game, delivery, is_refused)
  local rec, lane = delivery.rec, delivery.rec.lane
  if rec.is_gone or rec.is_over or delivery.run ~= rec.run or rec.epoch ~= lane.epoch then
    game.endings.seen.late_reports = game.endings.seen.late_reports + 1
  elseif not is_refused then
    rec.acknowledged = rec.acknowledged + 1
    if rec.has_ended and rec.is_awaited and rec.acknowledged == rec.published then
      outcomes.settle(game, rec)
    end
  elseif not rec.refused then
    rec.refused = game.config.give_up
    game.endings.seen.refused = game.endings.seen.refused + 1
    if game.config.give_up == "stop" then
      outcomes.stop(game, rec)
    end
    if rec.has_ended then
      outcomes.apply(game, rec, game.endings:fate_of_refused(rec))
    end
  end
end

---A delivery is acknowledged, or refused for good.
function M.report(game)
  if #game.deliveries == 0 then
    return
  end
  local delivery = lists.take_out(game.deliveries, math.random(#game.deliveries))
  local rec = delivery.rec
  local is_refused = not game.is_ending and math.random(8) == 1
  game:note("a delivery of record %d, run %d, is %s", rec.id, delivery.run,
    is_refused and "refused" or "acknowledged")
  game.intake:report(rec.pointer, delivery.run, is_refused and "refused" or nil)
  rec.open = rec.open - 1
  outcomes.forget_at_last(game, rec)
  take_report(game, delivery, is_refused)
end

local function end_letter(game, rec, is_refused)
  game:note("the letter of record %d is %s", rec.id, is_refused and "refused" or "acknowledged")
  lists.remove(game.letters, rec)
  game.intake:end_letter(rec.pointer, is_refused and "refused" or nil)
  rec.open = rec.open - (rec.letter == "sent" and 1 or 0)
  rec.letter = nil
  if rec.is_gone then
    outcomes.forget_at_last(game, rec)
  elseif is_refused then
    game.endings.seen.letters_refused = game.endings.seen.letters_refused + 1
    outcomes.stop(game, rec)
    if rec.state == "out" then
      outcomes.drop(game, rec)
    end
  else
    outcomes.settle(game, rec)
  end
end

---A dead letter goes on its way, or is refused before.
function M.mail(game)
  local rec = #game.letters > 0 and lists.pick(game.letters)
  if not rec or rec.letter ~= "waiting" then
    return
  elseif not game.is_ending and math.random(10) == 1 then
    end_letter(game, rec, true)
  else
    game:note("the letter of record %d is sent", rec.id)
    rec.letter, rec.open = "sent", rec.open + 1
    game.intake:send_letter(rec.pointer)
  end
end

function M.answer_letter(game)
  local rec = #game.letters > 0 and lists.pick(game.letters)
  if rec and rec.letter == "sent" then
    end_letter(game, rec, not game.is_ending and math.random(10) == 1)
  end
end

return M

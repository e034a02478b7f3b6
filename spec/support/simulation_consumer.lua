-- A game of the consumer's partitions: what is read, what becomes of each record, and what may be
-- committed, with the program's own code in main's place.

local broker = require("spec.support.simulation_broker")
local commits = require("spec.support.simulation_commits")
local crew = require("spec.support.simulation_crew")
local drains = require("spec.support.simulation_drains")
local ends = require("spec.support.simulation_ends")
local epochs = require("spec.support.simulation_epochs")
local lists = require("spec.support.simulation_lists")
local main = require("spec.support.simulation_main")
local model = require("spec.support.model")
local model_endings = require("spec.support.model_endings")
local model_offsets = require("spec.support.model_offsets")
local model_retries = require("spec.support.model_retries")
local outcomes = require("spec.support.simulation_outcomes")
local resumes = require("spec.support.simulation_resumes")
local unit = require("unit")
local workers = require("spec.support.simulation_workers")

local M = {}

local check = model.check

local PATIENCE = 100000
local POLICIES = { "dead_letter", "dead_letter", "skip", "stop" }

local function draw_policies(config)
  config.retries, config.give_up = math.random(0, 3), lists.pick(POLICIES)
  config.on_invalid, config.on_unknown_type = lists.pick(POLICIES), lists.pick(POLICIES)
  return config
end

local function random_config()
  return draw_policies {
    backoff_ms = 100, max_backoff_ms = 400, breaker = lists.pick({ 0, 1, 3 }),
    window_records = math.random(4, 60), window_bytes = lists.pick({ 8000, 1 << 20 }),
    max_ahead = math.random(2, 30), seed = math.random(1 << 30),
  }
end

---@param game spec.Game
---@param lanes integer
function M.open(game, lanes)
  game.config = random_config()
  game.intake = unit.partition.new(game.dispatcher, game.config)
  game.endings, game.parked = model_endings.new(game.config), model_retries.new()
  game.go_on = resumes.go_on
  game.hands, game.deliveries, game.letters = 3, {}, {}
  game.trouble = lists.pick({ 5, 20, 40, 80 }) -- of a hundred runs so many end badly
  for index = 1, lanes do
    local lane = model.new_lane()
    lane.index, lane.live = index, 0
    lane.partition, lane.handle = game.intake:partition(index)
    lane.log, lane.log_end = {}, 0
    lane.offsets = model_offsets.new(lane.log)
    game.lanes[index] = lane
  end
end

---@param game spec.Game
function M.close(game)
  check(#game.deliveries == 0 and #game.letters == 0, "reports are left")
  game.intake:destroy()
end

---What can be counted, of one of its lanes.
---@param game spec.Game
function M.check(game, lane)
  local live = 0
  for _, other in ipairs(game.lanes) do
    live = live + other.live
  end
  local records, _, is_open = game.intake:window()
  check(records == live, "%d records are in the window, not %d", records, live)
  check(is_open == game.endings.is_open, "the breaker is open or not")
  if lane.tracker then
    local share, _, _, is_stopped, is_gated = game.intake:look(lane.partition)
    check(share == lane.live, "lane %d has %d in the window", lane.index, share)
    check(is_stopped == lane.is_stopped, "lane %d is stopped or not", lane.index)
    check(is_gated == lane.is_gated, "lane %d is gated or not", lane.index)
    check(lane.tracker:position() == lane.offsets.position, "lane %d may commit %d", lane.index,
      lane.tracker:position())
  end
end

local function change_hands(game)
  game.hands = math.random(5)
  game:note("%d handlers may be begun at once", game.hands)
end

-- As a reload does, also between the end of a handler and what main makes of it.
local function change_policies(game)
  game:note("the policies change")
  game.intake:configure(draw_policies(game.config))
  game.endings.seen.reconfigured = game.endings.seen.reconfigured + 1
end

local DRAWN = lists.weighted({
  { workers.take, 30 },
  { outcomes.finish, 34 },
  { outcomes.publish, 12 },
  { broker.report, 14 },
  { workers.leave, 3 },
  { workers.wait, 3 },
  { crew.scale, 4 },
  { crew.go, 4 },
  { change_hands, 1 },
  { change_policies, 1 },
  { epochs.poll, 24 },
  { ends.collect, 12 },
  { ends.retry, 10 },
  { ends.apply_breaker, 4 },
  { ends.ration, 4 },
  { broker.mail, 6 },
  { broker.answer_letter, 6 },
  { main.tick, 1 },
  { main.need, 2 },
  { commits.skip, 1 },
  { commits.send, 5 },
  { commits.answer, 4 },
  { drains.revoke, 1 },
  { drains.go_on, 10 },
  { drains.lose, 1 },
  { epochs.lose, 1 },
  { epochs.seek, 1 },
  { epochs.restart, 1 },
  { epochs.replace_stopped, 1 },
  { resumes.resume, 4 },
  { resumes.skip, 1 },
  { epochs.assign, 12 },
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
    local is_over = lane.is_revoked or lane.is_stopped
    unsettled = unsettled + (is_over and 0 or lane.tracker:unsettled())
  end
  return unsettled == 0
end

---Lets everything end well that has begun, then gives all back.
---@param game spec.Game
function M.finish_all(game)
  game.is_ending = true
  for _, lane in ipairs(game.lanes) do
    epochs.assign(game, lane)
  end
  local left = PATIENCE
  while not is_settled(game) do
    local step = lists.pick({ workers.take, outcomes.finish, ends.collect, broker.report,
      ends.retry, ends.apply_breaker, ends.ration, broker.mail,
      broker.answer_letter, drains.go_on, epochs.read_again, crew.go })
    game:check(step(game, lists.pick(game.lanes)) == true)
    left = left - 1
    assert(left > 0, "it comes to no end")
  end
  ends.collect(game)
  for _, lane in ipairs(game.lanes) do
    epochs.lose(game, lane)
  end
  while #game.deliveries + #game.letters > 0 do
    broker.report(game)
    broker.answer_letter(game)
  end
  for worker = 1, #game.begun do
    game.dispatcher:leave(worker)
  end
end

return M

-- Main's part in a simulated game, as the consumer uses dispatcher and offsets: reading, what ends,
-- what is kept, holding and resuming.

local lists = require("spec.support.simulation_lists")
local model = require("spec.support.model")
local unit = require("unit")

local M = {}

local WINDOW = 24
local LONGEST_RETRY_MS = 400

---The next record of the lane's log.
local function read(game, lane)
  local entry = game:next_entry(lane)
  local pointer = unit.record.make("orders", lane.index, entry.offset, entry.key)
  local slot = lane.tracker:add(entry.offset)
  unit.record.deliver(pointer, lane.epoch, slot)
  local rec = game:enter(lane, entry, pointer)
  rec.slot = slot
  return rec
end

---Main has no use for the record any more.
function M.free(game, rec)
  game.records[rec.pointer] = nil
  unit.record.free(rec.pointer)
end

local function settle(game, rec)
  game:note("record %d is settled", rec.id)
  rec.lane.tracker:settle(rec.slot)
  rec.lane.offsets:settle(rec, rec.lane.tracker)
  M.free(game, rec)
end

function M.push(game, lane)
  if not lane.tracker or lane.is_revoked or lane.tracker:unsettled() >= WINDOW then
    return
  end
  local batch = {}
  for i = 1, math.random(0, 3 * game.pace) do
    local rec = read(game, lane)
    batch[i] = rec.pointer
    game.model:push(rec)
  end
  game.dispatcher:push(lane.handle, batch)
end

-- An ended record that is main's, or kept.
local function end_record(game, rec)
  local lane = rec.lane
  if rec.epoch ~= lane.epoch then
    if rec.state == "kept" then
      game.dispatcher:release(rec.pointer)
      rec.state = "out"
    end
    M.free(game, rec)
  elseif rec.state == "kept" then
    table.insert(lane.kept, rec)
  elseif math.random(3) == 1 then
    table.insert(lane.awaited, rec)
  else
    settle(game, rec)
  end
end

---Takes what has ended out of the dispatcher, then ends each.
---@param game spec.Game
---@param finish fun(game: spec.Game, rec: table)
function M.collect_by(game, finish)
  game:note("main collects")
  local list = game.dispatcher:collect()
  for i, pointer in ipairs(list) do
    local rec = game.records[pointer]
    game.model:collect(rec, unit.record.state(pointer) == "kept")
    list[i] = rec
  end
  for _, rec in ipairs(list) do
    finish(game, rec)
  end
end

function M.collect(game)
  M.collect_by(game, end_record)
end

function M.acknowledge(game, lane)
  if #lane.awaited > 0 then
    settle(game, lists.take_out(lane.awaited, math.random(#lane.awaited)))
  end
end

-- Main decides about a kept record: it waits for its next run, or its failure is settled elsewhere.
function M.decide(game, lane)
  if #lane.kept == 0 or lane.is_revoked then
    return
  end
  local rec = lists.take_out(lane.kept, math.random(#lane.kept))
  if math.random(2) == 1 then
    local due = game.parked.now + math.random(0, LONGEST_RETRY_MS)
    game:note("record %d is to run again at %d", rec.id, due)
    game.parked:add(rec, due)
    game.retries:add(rec.pointer, due)
  else
    game:note("record %d is released", rec.id)
    rec.state = "out"
    game.dispatcher:release(rec.pointer)
    settle(game, rec)
  end
end

-- Time goes on: what is due runs again.
function M.retry(game)
  game.parked.now = game.parked.now + math.random(0, LONGEST_RETRY_MS // 4)
  local pointer
  repeat
    pointer = game.retries:pop(game.parked.now)
    local rec = pointer and game.records[pointer]
    game.parked:pop(rec)
    if rec then
      game:note("record %d runs again", rec.id)
      game.model:rerun(rec)
      game.dispatcher:rerun(pointer)
      game:check(false)
    end
  until not pointer
end

function M.hold(game, lane)
  game:note("lane %d is held", lane.index)
  game.dispatcher:hold(lane.handle)
  lane.is_held = true
end

function M.resume(game, lane)
  game:note("lane %d is resumed", lane.index)
  lane.is_held = false
  game.dispatcher:resume(lane.handle)
end

---@param game spec.Game
---@param skip_to fun(position: integer) tells the code under test
function M.skip_by(game, lane, skip_to)
  local tracker = lane.tracker
  if not tracker or lane.next <= #lane.log then
    return
  end
  local position = lane.log_end + math.random(-2, 3)
  game:note("lane %d: all before %d is known to be read", lane.index, position)
  skip_to(position)
  lane.offsets:skip(position, tracker)
  lane.log_end = math.max(lane.log_end, tracker:position())
end

function M.skip(game, lane)
  M.skip_by(game, lane, function(position)
    lane.tracker:skip_to(position)
  end)
end

function M.ration(game)
  local starts = math.random(0, 3)
  game:note("only %d more start", starts)
  game.model.ration = starts
  game.model.seen.rations = game.model.seen.rations + 1
  game.dispatcher:ration(starts)
end

function M.unration(game)
  game:note("any number may start")
  game.model.ration = math.huge
  game.dispatcher:ration()
end

function M.need(game)
  local need = lists.pick({ "nothing", "room", "every" })
  game.wakes.need, game.wakes.low_water = need, math.random(8)
  local is_due = game.dispatcher:set_need(need, game.wakes.low_water)
  model.check(is_due == game.wakes:is_due(), "main is told to collect at once, or not: %s", is_due)
end

function M.tick(game)
  game.wakes:tick()
  game.dispatcher:tick()
end

return M

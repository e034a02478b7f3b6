-- Main's part in a game of partitions: assignments from their begin to their end, and what is read
-- meanwhile.

local model = require("spec.support.model")
local outcomes = require("spec.support.simulation_outcomes")

local M = {}

local check = model.check

-- The partition's offsets, as the model of offsets asks for them.
local Tracker = {}
Tracker.__index = Tracker

for place, name in ipairs({ "position", "oldest", "committed", "delivered", "unsettled",
  "ahead" }) do
  Tracker[name] = function(self)
    return (select(place, self.intake:offsets(self.partition)))
  end
end

-- --- reading ---

-- What the entry has been to this epoch, and the record that it was.
local function expected(lane, entry)
  local rec = lane.met[entry.offset]
  if not rec then
    return "new"
  end
  return rec.is_gone and not rec.is_settled and "again" or "known", rec
end

-- The next entry of the log; what is settled or in hand is passed over.
local function read(game, lane)
  local entry = game:next_entry(lane)
  local meeting, before = expected(lane, entry)
  local found, pointer = game.intake:take_in(lane.partition, entry.offset, entry.key)
  check(found == meeting, "offset %d is %s, not %s", entry.offset, found, meeting)
  if not pointer then
    return nil
  end
  local rec = game:enter(lane, entry, pointer)
  rec.attempt, rec.run, rec.published, rec.acknowledged, rec.open = 1, 1, 0, 0, 0
  lane.met[entry.offset] = rec
  lane.live = lane.live + 1
  game.model:push(rec, before)
  return pointer
end

-- What comes next was delivered before.
local function is_reading_again(lane)
  local entry = lane.log[lane.next]
  return entry ~= nil and entry.offset < lane.tracker:delivered()
end

-- The limits of the window, and what keeps a partition from being read.
local function check_room(game, lane, room)
  local live, active = 0, 0
  for _, other in ipairs(game.lanes) do
    live = live + other.live
    active = active + (other.tracker and not other.is_stopped and 1 or 0)
  end
  local limit = game.config.window_records
  local is_at_stand = not lane.tracker or lane.is_revoked or lane.is_stopped or lane.is_gated
    or lane.tracker:ahead() >= game.config.max_ahead and not is_reading_again(lane)
  check(not room or not is_at_stand, "lane %d is at a stand, and read", lane.index)
  check(room or is_at_stand or live > 0, "lane %d is not read, but nothing is", lane.index)
  check(not room or live + room <= limit, "%d more are read into %d of %d", room or 0, live, limit)
  check(not room or active <= 1 or lane.live + room <= math.max(1, limit // 4),
    "lane %d takes more than its quarter", lane.index)
end

function M.poll(game, lane)
  local room = game.intake:room(lane.partition)
  check_room(game, lane, room)
  local batch = {}
  for _ = 1, math.min(room or 0, math.random(0, 3 * game.pace)) do
    table.insert(batch, read(game, lane))
  end
  game.dispatcher:push(lane.handle, batch)
end

---What was given back is read again, and nothing else.
function M.read_again(game, lane)
  if lane.tracker and is_reading_again(lane) then
    M.poll(game, lane)
  end
end

-- --- epochs ---

local function begin(game, lane, epoch)
  lane.tracker = setmetatable({ intake = game.intake, partition = lane.partition }, Tracker)
  lane.live, lane.met, lane.left_strand, lane.unended = 0, {}, false, 0
  lane.is_resuming, lane.is_without_start = false, false
  game.model:assign(lane, epoch)
  lane.offsets:assign(lane.delivered)
end

function M.assign(game, lane)
  if lane.tracker then
    return
  end
  local start = lane.offsets.committed
  local how = lane.has_commit and "committed" or math.random(6) == 1 and "missing" or "resolved"
  lane.next = lane.offsets.proved
  lane.is_stopped, lane.is_gated, lane.gives_back_from = how == "missing", how == "resolved", nil
  begin(game, lane, game.intake:begin(lane.partition, start, how))
  lane.is_without_start = how == "missing"
  game:note("lane %d is assigned from %d, %s, epoch %d", lane.index, start, how, lane.epoch)
end

-- What ran on is left over; of the rest main knows nothing any more.
local function end_epoch(game, lane)
  for _, rec in ipairs(lane.delivered) do
    local is_ended = rec.state == "out" and rec.has_ended and not rec.is_gone
    if is_ended or rec.state == "waiting" or rec.state == "kept" then
      outcomes.drop(game, rec)
    end
  end
  lane.tracker, lane.live, lane.drain, lane.is_lost = nil, 0, nil, false
  game.model:forget(lane)
end

function M.lose(game, lane)
  if not lane.tracker then
    return
  end
  game:note("lane %d is lost", lane.index)
  game.intake:finish(lane.partition)
  end_epoch(game, lane)
end

function M.seek(game, lane)
  M.lose(game, lane)
  M.assign(game, lane)
end

---A stopped partition goes on in a new assignment, too.
function M.replace_stopped(game, lane)
  if lane.is_stopped then
    M.seek(game, lane)
  end
end

---Reading goes on at `start`, or at the first entry behind it.
function M.read_from(lane, start)
  lane.next = #lane.log + 1
  while lane.next > 1 and lane.log[lane.next - 1].offset >= start do
    lane.next = lane.next - 1
  end
end

---The broker's log has lost its end, and what comes next has an offset that was read before.
function M.restart(game, lane)
  local delivered = lane.tracker and lane.tracker:delivered()
  if not delivered or delivered == 0 or not game.intake:room(lane.partition) then
    return
  end
  local back = math.max(0, delivered - math.random(5))
  local start, epoch = game.intake:restart(lane.partition, back)
  game:note("lane %d: the log goes back to %d, it is read again from %d", lane.index, back, start)
  check(start == math.min(back, lane.offsets.position), "it is read again from %d", start)
  end_epoch(game, lane)
  lane.offsets:truncate(back)
  lane.log_end = back
  M.read_from(lane, start)
  begin(game, lane, epoch)
  lane.offsets.position = start
end

return M

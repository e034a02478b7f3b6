-- A seeded game about one partition that stops at failed records and is resumed: random steps of
-- its workers, of main, of the broker and of an operator over a real dispatcher and real offsets.
--
-- What has to be true is in model_stops.lua.

local lists = require("spec.support.simulation_lists")
local check = require("spec.support.model").check
local model_stops = require("spec.support.model_stops")
local unit = require("unit")

local M = {}

---@class spec.StopsGame
local Game = {}
Game.__index = Game

local WORKERS, IN_WORK = 4, 12

local function new_game(seed, distribution)
  math.randomseed(seed)
  local self = setmetatable({
    model = model_stops.new(distribution),
    dispatcher = unit.dispatcher.new(distribution, WORKERS),
    tracker = unit.offsets.new(0, 0),
    log = {}, -- what the broker has
    by_pointer = {},
    at = 1, -- the reader, in the log
    running = {}, awaiting = {},
    seen = { stops = 0, resumes = 0, again = 0, known = 0, gone = 0, skipped = 0, refused = 0,
      starts = 0 },
  }, Game)
  self.lane = self.dispatcher:lane("orders", 0)
  self.dispatcher:assign(self.lane, 1)
  return self
end

function Game:count(what, times)
  self.seen[what] = self.seen[what] + (times or 1)
end

function Game:settle(entry)
  entry.state = "settled"
  self.tracker:settle(entry.slot)
end

-- The record is in nobody's hand any more.
function Game:give_back(entry)
  entry.state = "returned"
  self.tracker:give_back(entry.slot, entry.has_failed)
  self:forget(entry)
end

function Game:forget(entry)
  self.by_pointer[entry.pointer] = nil
  unit.record.free(entry.pointer)
  entry.pointer = nil
end

-- What of it is in somebody's hand.
function Game:in_work()
  local count = 0
  for _ in pairs(self.by_pointer) do
    count = count + 1
  end
  return count
end

local EXPECTED = { unread = "new", returned = "again" }

-- The next record of the log.
function Game:read_one()
  local entry = self.log[self.at]
  if not entry then
    entry = self.model:grow()
    table.insert(self.log, entry)
  end
  self.at = self.at + 1
  local expected = EXPECTED[entry.state] or "known"
  local expected_gone = self.model:find_gone(entry.offset)
  local meeting, gone, slot = self.tracker:meet(entry.offset)
  check(meeting == expected, "offset %d, %s, is %s", entry.offset, entry.state, meeting)
  check(gone == expected_gone, "at offset %d %d are gone", entry.offset, gone)
  self:count("gone", gone)
  if meeting == "known" then
    self:count("known")
    return
  end
  self:count("again", meeting == "again" and 1 or 0)
  entry.slot = meeting == "new" and self.tracker:add(entry.offset) or slot
  entry.state, entry.has_failed = "waiting", false
  entry.pointer = unit.record.make("orders", 0, entry.offset, entry.key)
  unit.record.deliver(entry.pointer, 1, entry.slot)
  self.by_pointer[entry.pointer] = entry
  self.dispatcher:push(self.lane, { entry.pointer })
end

function Game:read()
  if not self.is_stopped and self:in_work() < IN_WORK then
    self:read_one()
  end
end

function Game:start(entry)
  self.model:start(entry, self.is_stopped, self.running)
  entry.state = "running"
  self:count("starts")
  table.insert(self.running, entry)
end

function Game:take()
  local pointer = self.dispatcher:take(math.random(WORKERS))
  if pointer then
    self:start(self.by_pointer[pointer])
  end
end

local VERDICTS = { well = "release", retry = "keep", stop = "hold" }

function Game:finish()
  if #self.running == 0 then
    return
  end
  local entry = lists.take_out(self.running, math.random(#self.running))
  local draw = self.is_ending and 1 or math.random(20)
  entry.state = "ended"
  entry.outcome = draw <= 16 and "well" or draw <= 18 and "retry" or "stop"
  -- The worker holds the lane before main hears of it.
  self.is_stopped = self.is_stopped or entry.outcome == "stop"
  self.dispatcher:finish(entry.pointer, VERDICTS[entry.outcome])
end

function Game:stop_at(entry)
  entry.has_failed, self.is_stopped, self.gives_back = true, true, true
  self.dispatcher:hold(self.lane)
  self.is_resuming = false
  self.has_left_strand = self.has_left_strand or entry.state == "awaiting"
  self:count("stops")
end

function Game:end_record(entry)
  if entry.outcome == "stop" then
    self:stop_at(entry)
  elseif entry.outcome == "retry" and self.is_stopped then
    self.dispatcher:release(entry.pointer)
    self:give_back(entry)
  elseif entry.outcome == "retry" then
    entry.state = "waiting"
    self.dispatcher:rerun(entry.pointer)
  elseif math.random(3) == 1 then
    entry.state = "awaiting"
    table.insert(self.awaiting, entry)
  else
    self:settle(entry)
    self:forget(entry)
  end
end

function Game:collect()
  local is_quiet = #self.running == 0
  for _, pointer in ipairs(self.dispatcher:collect()) do
    self:end_record(self.by_pointer[pointer])
  end
  if self.gives_back then
    self.gives_back = false
    for _, pointer in ipairs(self.dispatcher:revoke(self.lane)) do
      self:give_back(self.by_pointer[pointer])
    end
  end
  self:go_on(is_quiet)
end

-- What still runs ends first when a record had left its strand that stopped the partition.
function Game:go_on(is_quiet)
  if not self.is_resuming or self.has_left_strand and not is_quiet then
    return
  end
  self:skip_failed()
  self.is_stopped, self.is_resuming, self.has_left_strand = false, false, false
  local from = self.tracker:read_again()
  self.at = #self.log + 1
  while self.at > 1 and self.log[self.at - 1].offset >= from do
    self.at = self.at - 1
  end
  self.dispatcher:resume(self.lane)
  self:count("resumes")
end

function Game:acknowledge()
  if #self.awaiting > 0 then
    local entry = lists.take_out(self.awaiting, math.random(#self.awaiting))
    self:settle(entry)
    self:forget(entry)
  end
end

function Game:refuse()
  if #self.awaiting > 0 then
    local entry = lists.take_out(self.awaiting, math.random(#self.awaiting))
    self:stop_at(entry)
    self:give_back(entry)
    self:count("refused")
  end
end

function Game:skip_failed()
  for _, entry in ipairs(self.model.entries) do
    local is_failed = entry.state == "returned" and entry.has_failed
    if math.random(8) == 1 then
      check(self.tracker:skip_failed(entry.offset) == is_failed, "offset %d, %s, is skipped or not",
        entry.offset, entry.state)
      entry.state = is_failed and "settled" or entry.state
      self:count("skipped", is_failed and 1 or 0)
    end
  end
end

-- Retention or compaction takes something that was given back.
function Game:remove()
  local index = math.random(#self.log + 1)
  local entry = self.log[index]
  if self.is_stopped and entry and entry.state == "returned" then
    entry.is_removed = true
    table.remove(self.log, index)
    self.at = self.at - (index < self.at and 1 or 0)
  end
end

function Game:resume()
  if self.is_stopped then
    self.is_resuming = true
    self:collect()
  end
end

local STEPS = {}
for step, weight in pairs({ read = 30, take = 30, finish = 24, collect = 12, acknowledge = 8,
  refuse = 1, resume = 3, remove = 1 }) do
  for _ = 1, weight do
    table.insert(STEPS, step)
  end
end
table.sort(STEPS)

-- All that was read comes to its end.
local function finish_all(self)
  self.is_ending = true
  local patience = 20000
  while self.tracker:unsettled() > 0 do
    self:resume()
    if not self.is_stopped and self.tracker:is_reading_again() then
      self:read_one()
    end
    self:take()
    self:finish()
    self:collect()
    self:acknowledge()
    patience = patience - 1
    check(patience > 0, "it comes to no end")
  end
  for worker = 1, WORKERS do
    self.dispatcher:leave(worker)
  end
end

---Plays one game; raises when a promise is broken.
---@param seed integer
---@param count integer steps
---@return table<string, integer> seen how often there was what makes it worth while
function M.play(seed, count)
  local self = new_game(seed, ({ "key", "partition", "free_worker" })[seed % 3 + 1])
  for _ = 1, count do
    self[lists.pick(STEPS)](self)
    self.model:check_position(self.tracker)
  end
  finish_all(self)
  self.model:check_position(self.tracker)
  for name, left in pairs(self.dispatcher:counts()) do
    check(left == 0, "%d %s are left at the end", left, name)
  end
  self.dispatcher:destroy()
  return self.seen
end

return M

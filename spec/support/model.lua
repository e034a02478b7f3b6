-- What has to be true of the dispatcher, said a second time and as plainly as possible.
--
-- The simulation tells the model what it did and what came of it; the model raises when that breaks
-- a promise. A record is "waiting", "running", "ended", "kept" or "out", whatever list it is on.

local M = {}

---@class spec.Model
local Model = {}
Model.__index = Model

local TIDY_LENGTH = 100

---Raises the formatted message unless the condition holds.
function M.check(condition, ...)
  if not condition then
    error(string.format(...), 0)
  end
end

local check = M.check

---@param distribution "key"|"partition"|"free_worker"
---@return spec.Model
function M.new(distribution)
  return setmetatable({
    distribution = distribution,
    waiting = {}, -- in the order of pushing, with some that wait no longer
    reruns = {}, -- the same
    running = 0,
    ended = 0, -- and not collected
    ration = math.huge, -- records that may start yet
    seen = { starts = 0, leftovers = 0, twins = 0, reruns = 0, stops = 0, behind_leftovers = 0,
      given_back = 0, finishing = 0, rations = 0 },
  }, Model)
end

function M.new_lane()
  return {
    epoch = 0,
    running = 0,
    strands = {},
    at = {}, -- what runs, by offset
    limit = math.huge, -- what has not begun from this offset on was given back
  }
end

-- The oldest record of the strand that is not out.
local function front(strand)
  while strand[strand.first] and strand[strand.first].state == "out" do
    strand[strand.first] = nil
    strand.first = strand.first + 1
  end
  return strand[strand.first]
end

local function strand_of(self, rec)
  if self.distribution == "free_worker" or self.distribution == "key" and not rec.key then
    return nil
  end
  local strands, name = rec.lane.strands, self.distribution == "key" and rec.key or 0
  strands[name] = strands[name] or { first = 1, last = 0 }
  return strands[name]
end

-- What has this offset and runs; with another key it is another record, of a log that went back,
-- and without a strand nobody looks at keys.
local function running_twin(rec)
  local other = rec.lane.at[rec.offset]
  return other and (other.key == rec.key or not rec.strand)
end

-- Why this record must not start now, if so.
local function objection(rec)
  local lane = rec.lane
  return rec.state ~= "waiting" and "it is " .. rec.state
    or rec.epoch ~= lane.epoch and "its epoch is over"
    or rec.offset >= lane.limit and "its lane is revoked"
    or lane.is_held and "its lane is held"
    or running_twin(rec) and "the same offset runs already"
    or rec.strand and front(rec.strand) ~= rec and "its strand has an older record"
    or nil
end

local function first_runnable(list)
  for _, rec in ipairs(list) do
    if rec.state == "waiting" and not objection(rec) then
      return rec
    end
  end
  return nil
end

local function tidy(list)
  if #list <= TIDY_LENGTH then
    return list
  end
  local tidied = {}
  for _, rec in ipairs(list) do
    if rec.state == "waiting" then
      tidied[#tidied + 1] = rec
    end
  end
  return tidied
end

---@return boolean is_there something that may run
function Model:has_backlog()
  return self.ration > 0 and (first_runnable(self.reruns) or first_runnable(self.waiting)) ~= nil
end

function Model:assign(lane, epoch)
  check(epoch ~= self.epoch, "epoch %d again", epoch)
  self.epoch = epoch
  lane.epoch, lane.is_held, lane.is_revoked, lane.running = epoch, false, false, 0
  lane.delivered, lane.begun_end, lane.limit = {}, 0, math.huge
end

---@param before? table the same record, which was given back
function Model:push(rec, before)
  local lane, strand = rec.lane, strand_of(self, rec)
  rec.state, rec.strand = "waiting", strand
  if strand then
    local ahead = front(strand)
    if ahead and ahead.epoch ~= rec.epoch then
      self.seen.behind_leftovers = self.seen.behind_leftovers + 1
    end
    strand.last = strand.last + 1
    strand[strand.last] = rec
  elseif lane.at[rec.offset] then
    self.seen.twins = self.seen.twins + 1
  end
  self.waiting, self.reruns = tidy(self.waiting), tidy(self.reruns)
  table.insert(self.waiting, rec)
  rec.place = before and before.place or #lane.delivered + 1
  lane.delivered[rec.place] = rec
end

---A worker took this record, or found nothing.
function Model:take(rec)
  local rerun = first_runnable(self.reruns)
  local expected = rerun or first_runnable(self.waiting)
  if not rec then
    check(self.ration == 0 or not expected, "a worker found nothing, but record %d may run",
      expected and expected.id)
    return
  end
  check(self.ration > 0, "record %d started beyond the ration", rec.id)
  self.ration = self.ration - 1
  local reason = objection(rec)
  check(not reason, "record %d started, but %s", rec.id, reason)
  check(rec == expected or rerun and rec.is_rerun, "record %d started before record %d", rec.id,
    expected.id)
  rec.state, rec.is_rerun, rec.has_begun = "running", false, true
  rec.lane.begun_end = math.max(rec.lane.begun_end, rec.offset + 1)
  rec.lane.at[rec.offset] = rec
  rec.lane.running = rec.lane.running + 1
  self.running = self.running + 1
  self.seen.finishing = self.seen.finishing + (rec.lane.is_revoked and 1 or 0)
  self.seen.starts = self.seen.starts + 1
end

function Model:finish(rec, verdict)
  local lane = rec.lane
  if lane.at[rec.offset] == rec then
    lane.at[rec.offset] = nil
  end
  self.running, self.ended = self.running - 1, self.ended + 1
  if rec.epoch ~= lane.epoch then
    verdict = "release"
    self.seen.leftovers = self.seen.leftovers + 1
  else
    lane.running = lane.running - 1
  end
  if verdict == "hold" then
    lane.is_held = true
    self.seen.stops = self.seen.stops + 1
  end
  rec.state, rec.is_uncollected = verdict == "release" and "out" or "ended", true
end

---Main got this record by collect.
function Model:collect(rec, is_kept)
  check(rec.is_uncollected, "record %d was collected, but has not ended since", rec.id)
  check(is_kept == (rec.state == "ended"), "record %d is %s, but kept or not", rec.id, rec.state)
  rec.state, rec.is_uncollected = is_kept and "kept" or "out", false
  self.ended = self.ended - 1
end

function Model:rerun(rec)
  rec.state, rec.is_rerun = "waiting", true
  self.seen.reruns = self.seen.reruns + 1
  table.insert(self.reruns, rec)
end

---Of the lane nothing begins any more from this offset on, nor behind all that has begun.
---@param from? integer nothing at all without it
---@return number offset from which on it does not
function M.limit(lane, from)
  lane.limit = math.min(lane.limit, from or -math.huge, lane.begun_end)
  return lane.limit
end

---Main got these records by revoke.
---@param from? integer as above
function Model:revoke(lane, list, from)
  lane.is_revoked = true
  M.limit(lane, from)
  self.seen.given_back = self.seen.given_back + #list
  for _, rec in ipairs(list) do
    check(rec.lane == lane and (rec.state == "waiting" or rec.state == "kept"),
      "record %d was given back, but it was %s", rec.id, rec.state)
    check(rec.offset >= lane.limit, "record %d was given back, but may begin", rec.id)
    rec.state = "out"
  end
  for _, rec in ipairs(lane.delivered) do
    check(rec.offset < lane.limit or rec.state ~= "waiting" and rec.state ~= "kept",
      "record %d was not given back", rec.id)
  end
end

function Model.forget(_, lane)
  lane.epoch, lane.running, lane.delivered = 0, 0, {}
end

return M

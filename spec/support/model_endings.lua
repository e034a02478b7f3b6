-- What has to become of a record whose run has ended: the model's sixth part, over outcomes,
-- deliveries, dead letters and the breaker.

local check = require("spec.support.model").check

local M = {}

---@class spec.EndingsModel
local EndingsModel = {}
EndingsModel.__index = EndingsModel

local ASKED = { skipped = true, dead_letter = true } -- stands, whatever was refused before

---@param config table as in require("unit").partition.new
---@return spec.EndingsModel
function M.new(config)
  return setmetatable({ config = config, row = 0, is_open = false,
    seen = { settled = 0, awaited = 0, tried_again = 0, lettered = 0, stuck = 0, dropped = 0,
      reconfigured = 0, given_up_twice = 0, refused = 0, breakers = 0, letters_refused = 0,
      late_reports = 0, drains = 0, drains_cut = 0, resumes = 0, skips = 0 } },
    EndingsModel)
end

local function is_refused(rec)
  return rec.refused and not ASKED[rec.outcome]
end

---What the config says of such an outcome, apart from its deliveries.
---@return "settle"|"retry"|"skip"|"dead_letter"|"stop"
function EndingsModel:wish(rec)
  local config = self.config
  if rec.outcome == "failed" then
    return (rec.is_uncounted or rec.attempt <= config.retries) and "retry" or config.give_up
  end
  local wishes = { done = "settle", skipped = "skip", dead_letter = "dead_letter",
    unknown_type = config.on_unknown_type, invalid = config.on_invalid }
  return wishes[rec.outcome]
end

---A strand moves on at once from what is done with; a failure holds it until main has decided.
---What it goes by holds for main too, whatever the config says by then.
function EndingsModel:check_verdict(rec, verdict)
  local wish = self:wish(rec)
  rec.wish = wish
  local is_done = wish == "settle" or wish == "skip" and rec.outcome ~= "failed"
  local expected = is_done and "release" or wish == "stop" and "hold" or "keep"
  check(verdict == expected, "%s: the strand's verdict is %s", rec.outcome, verdict)
end

-- So many in a row, and no further one until a record is handled; but one that has left its strand
-- cannot be tried again in its order.
local function may_give_up(self, is_kept)
  if self.is_open then
    self.seen.given_up_twice = self.seen.given_up_twice + 1
    return not is_kept
  end
  self.row = self.row + 1
  self.is_open = self.config.breaker > 0 and self.row >= self.config.breaker
  self.seen.breakers = self.seen.breakers + (self.is_open and 1 or 0)
  return true
end

-- Another reader gets it again: its partition is given back, or at a stand.
local function is_moot(self, rec, wish)
  local lane = rec.lane
  if rec.epoch ~= lane.epoch then
    return true
  end
  local is_held = rec.outcome == "failed" and self.is_open
  return lane.is_revoked and rec.state == "kept"
    and (wish == "retry" or wish == "stop" or is_held)
end

-- The record is not done with: whether it is given up, tried again, or stops its partition.
local function fate_of_failed(self, rec, wish)
  local is_kept = rec.state == "kept" and (rec.lane.is_finishing or not rec.lane.is_revoked)
  local is_failure = rec.outcome == "failed" or is_refused(rec)
  if is_failure and wish ~= "stop" and wish ~= "retry" and not may_give_up(self, is_kept) then
    wish = "retry"
  end
  if wish == "retry" then
    return rec.lane.is_stopped and "dropped" or "parked"
  elseif wish == "stop" then
    return is_kept and "kept" or "stuck"
  end
  return wish == "skip" and "settled" or "lettered"
end

---A record that main has collected.
---@return "settled"|"awaited"|"parked"|"lettered"|"stuck"|"dropped"|"kept" fate
function EndingsModel:fate(rec)
  local wish = is_refused(rec) and rec.wish ~= "stop" and rec.refused or rec.wish
  if is_moot(self, rec, wish) then
    return "dropped"
  elseif wish ~= "settle" then
    return fate_of_failed(self, rec, wish)
  end
  self.row, self.is_open = 0, false
  return rec.acknowledged == rec.published and "settled" or "awaited"
end

---A delivery of a record that had ended well was refused for good.
---@return string fate
function EndingsModel:fate_of_refused(rec)
  return fate_of_failed(self, rec, rec.refused)
end

return M

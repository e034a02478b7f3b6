-- What has to be true of a drain: how long it waits, and what it leaves to be handled again.

local check = require("spec.support.model").check

local M = {}

---@class spec.DrainModel
---@field is_in_time boolean nothing was given up because a limit was reached or it had to stop
---@field hindrance number the first that nobody could settle when it began
local DrainModel = {}
DrainModel.__index = DrainModel

---@return spec.DrainModel
function M.new()
  return setmetatable({ is_in_time = true }, DrainModel)
end

local function is_waiting(rec)
  return rec.state == "waiting" or rec.state == "kept"
end

---Nobody settles this one any more, so nothing behind it needs to begin.
---@return number offset
function M.first_hindrance(lane)
  local first = math.huge
  for _, rec in ipairs(lane.delivered) do
    local is_parked = rec.state == "kept" and not rec.letter
    if not rec.is_settled and (is_parked or rec.is_gone) then
      first = math.min(first, rec.offset)
    end
  end
  return first
end

---What the program sees of the lane is what there is.
function M.check_sight(game, lane, sight)
  local unstarted, running, awaited = false, false, false
  for _, rec in ipairs(lane.delivered) do
    unstarted = unstarted or is_waiting(rec)
    running = running or rec.state == "running"
    awaited = awaited or rec.state == "out" and rec.has_ended == true and not rec.is_gone
  end
  -- What has ended of older epochs stands in the dispatcher too, until it is collected.
  check(sight.unstarted == unstarted, "lane %d has something that may begin, or not", lane.index)
  check(sight.running == running, "lane %d has something that runs, or not", lane.index)
  check(sight.awaited == awaited, "lane %d has something awaited, or not", lane.index)
  check(sight.at_stand == game.endings.is_open, "the breaker is open, or not")
end

-- What each step gives up if it comes while there is still that.
local GIVEN_UP = { ["give back"] = "unstarted", collect = "running", ["let go"] = "awaited",
  ["end"] = "in_flight" }
local LIMITS = { "begin", "handlers", "deliveries", "commit" }

---The drain said this.
function DrainModel:note(game, lane, step, sight)
  local seen = game.endings.seen
  if step == "wait" then
    local is_idle = not (sight.unstarted or sight.running or sight.awaited or sight.in_flight)
    check(not is_idle, "lane %d waits for nothing", lane.index)
    check(not sight.lost, "lane %d is lost, and waits", lane.index)
    check(game.parked.now < math.max(lane.limits.begin, lane.limits.handlers,
      lane.limits.deliveries, lane.limits.commit), "lane %d waits for ever", lane.index)
    return
  end
  check(step ~= "commit" or not sight.lost, "lane %d is lost, and commits", lane.index)
  local has_more = sight[GIVEN_UP[step]]
  if not has_more then
    return
  end
  self.is_in_time = false
  seen.drains_cut = seen.drains_cut + 1
  local reached = false
  for _, name in ipairs(LIMITS) do
    reached = reached or game.parked.now >= lane.limits[name]
  end
  check(reached or sight.lost or step == "give back" and sight.at_stand
    or step == "end", "lane %d gives up without need: %s", lane.index, step)
end

---It is over. A drain that ends in time commits everything that was completed, unless something
---that had begun failed before it.
function DrainModel:check(game, lane)
  if not self.is_in_time or lane.is_stopped or lane.is_lost then
    return
  end
  local seen = game.endings.seen
  seen.drains = seen.drains + 1
  local oldest
  for _, rec in ipairs(lane.delivered) do
    local is_older = not rec.is_settled and (not oldest or rec.offset < oldest.offset)
    oldest = is_older and rec or oldest
  end
  for _, rec in ipairs(lane.delivered) do
    if rec.is_settled and oldest and rec.offset > oldest.offset then
      check(oldest.has_begun or oldest.offset == self.hindrance,
        "record %d has not begun, and record %d behind it is settled", oldest.id, rec.id)
    end
  end
  check(oldest or lane.tracker:unsettled() == 0, "something is unsettled")
end

return M

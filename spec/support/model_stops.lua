-- What has to be true of a partition that stops at failed records and is resumed.
--
-- Each entry of its log has one state, which is all that the model knows:
--   unread, waiting (in the dispatcher), running, ended, awaiting (an acknowledgement), returned
--   (given back), settled, gone (given back, and not in the log any more)

local check = require("spec.support.model").check

local M = {}

---@class spec.StopsModel
---@field entries table[] all that ever was, by the order of offsets
local StopsModel = {}
StopsModel.__index = StopsModel

---@param distribution "key"|"partition"|"free_worker"
---@return spec.StopsModel
function M.new(distribution)
  return setmetatable({ distribution = distribution, entries = {} }, StopsModel)
end

---@return table entry a new one at the end of the log, some of which have holes before them
function StopsModel:grow()
  local last = self.entries[#self.entries]
  local entry = { offset = (last and last.offset or -1) + (math.random(4) == 1 and 3 or 1),
    key = math.random(3) > 1 and "k" .. math.random(4) or nil, state = "unread" }
  table.insert(self.entries, entry)
  return entry
end

---@param offset integer to which the reader has come
---@return integer count how many that were given back are found to be gone by that
function StopsModel:find_gone(offset)
  local count = 0
  for _, entry in ipairs(self.entries) do
    if entry.state == "returned" and entry.is_removed and entry.offset < offset then
      entry.state, count = "gone", count + 1
    end
  end
  return count
end

local function is_done_with(entry)
  return entry.state == "settled" or entry.state == "gone" or entry.state == "awaiting"
    or entry.state == "ended" and entry.outcome == "well"
end

-- Whether both belong to one order.
local function is_one_strand(self, one, other)
  return self.distribution == "partition"
    or self.distribution == "key" and one.key ~= nil and one.key == other.key
end

---@param entry table that starts
---@param is_stopped boolean
---@param running table[]
function StopsModel:start(entry, is_stopped, running)
  check(entry.state == "waiting", "offset %d starts, which is %s", entry.offset, entry.state)
  check(not is_stopped, "offset %d starts of a stopped partition", entry.offset)
  for _, other in ipairs(self.entries) do
    if other.offset >= entry.offset then
      break
    end
    check(is_done_with(other) or not is_one_strand(self, other, entry),
      "offset %d starts before %d of its strand, which is %s", entry.offset, other.offset,
      other.state)
  end
  for _, other in ipairs(running) do
    check(not is_one_strand(self, other, entry), "offset %d starts beside %d", entry.offset,
      other.offset)
  end
end

---Nothing may be committed past what is not done with.
---@param tracker userdata
function StopsModel:check_position(tracker)
  local position = tracker:position()
  for _, entry in ipairs(self.entries) do
    local is_settled = entry.state == "settled" or entry.state == "gone"
    check(is_settled or entry.offset >= position, "offset %d, %s, is committed past", entry.offset,
      entry.state)
    if not is_settled then
      check(entry.state == "unread" or tracker:oldest() == entry.offset, "the oldest is %d",
        tracker:oldest())
      return
    end
  end
end

return M

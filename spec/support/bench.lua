-- A dispatcher on the bench: records have labels, so that a spec reads as what runs after what.
--
-- A label is a key and a number: a1 and a2 have the key "a", 1 has the empty key, -1 the null key.

local unit = require("unit")

local M = {}

---@class spec.Lane
---@field handle userdata
---@field partition integer
---@field epoch integer
---@field next_offset integer

---@class spec.Bench
local Bench = {}
Bench.__index = Bench

---@param distribution "key"|"partition"|"free_worker"
---@param workers? integer
---@param cpus? integer beyond which workers are spared while so many are brisk
---@param pace? integer of a brisk one: records from tick to tick
---@return spec.Bench
function M.new(distribution, workers, cpus, pace)
  return setmetatable({
    dispatcher = unit.dispatcher.new(distribution, workers or 4, cpus, pace),
    records = {}, -- by label
    labels = {}, -- by record
    lanes = {},
  }, Bench)
end

---An assigned lane.
---@param partition? integer
---@param topic? string
---@return spec.Lane
function Bench:lane(partition, topic)
  local lane = { partition = partition or 0, topic = topic or "orders", epoch = 0, next_offset = 0 }
  lane.handle = self.dispatcher:lane(lane.topic, lane.partition)
  table.insert(self.lanes, lane)
  self:assign(lane)
  return lane
end

---A new assignment of the lane.
---@param lane spec.Lane
---@param next_offset? integer where delivery begins again
function Bench:assign(lane, next_offset)
  lane.epoch = lane.epoch + 1
  lane.next_offset = next_offset or lane.next_offset
  self.dispatcher:assign(lane.handle, lane.epoch)
end

local function key_of(label)
  local key = label:match("^(.-)%d*'*$")
  return key ~= "-" and key or nil
end

---@param lane spec.Lane
---@param labels string separated by spaces
function Bench:push(lane, labels)
  local batch = {}
  for label in labels:gmatch("%S+") do
    assert(not self.records[label], label)
    local record = unit.record.make(lane.topic, lane.partition, lane.next_offset, key_of(label))
    unit.record.deliver(record, lane.epoch)
    lane.next_offset = lane.next_offset + 1
    self.records[label], self.labels[record] = record, label
    table.insert(batch, record)
  end
  self.dispatcher:push(lane.handle, batch)
end

---@param worker? integer
---@return string? label
function Bench:take(worker)
  return self.labels[self.dispatcher:take(worker or 1) or false]
end

---What the worker takes until there is nothing.
---@param worker? integer
---@return string labels
function Bench:take_all(worker)
  local labels = {}
  for label in function() return self:take(worker) end do
    table.insert(labels, label)
  end
  return table.concat(labels, " ")
end

---@param label string
---@param verdict? "release"|"keep"|"hold"
---@param worker? integer
---@return string? label of the next
function Bench:finish(label, verdict, worker)
  local next = self.dispatcher:finish(self.records[label], verdict or "release", worker)
  return self.labels[next or false]
end

---Takes and finishes until there is nothing.
---@return string labels in the order they ran
function Bench:run_all()
  local labels = {}
  local label = self:take()
  while label do
    table.insert(labels, label)
    label = self:finish(label, "release", 1)
  end
  return table.concat(labels, " ")
end

local function free(self, record)
  unit.record.free(record)
  self.records[self.labels[record]] = nil
  self.labels[record] = nil
end

---The labels of a list of records; those that are main's are freed.
local function name_all(self, list)
  local labels = {}
  for _, record in ipairs(list) do
    local is_kept = unit.record.state(record) == "kept"
    table.insert(labels, self.labels[record] .. (is_kept and "*" or ""))
    if not is_kept then
      free(self, record)
    end
  end
  return table.concat(labels, " ")
end

---What has ended; kept ones with a star.
---@return string labels
function Bench:collect()
  return name_all(self, self.dispatcher:collect())
end

---@param lane spec.Lane
---@return string labels of what was not running
function Bench:revoke(lane)
  return name_all(self, self.dispatcher:revoke(lane.handle))
end

---@param lane spec.Lane
---@param from? integer offset from which on nothing may begin
---@return string labels of what stands there, or behind all that has begun
function Bench:drain(lane, from)
  return name_all(self, self.dispatcher:revoke(lane.handle, from or math.huge))
end

---@param label string
function Bench:rerun(label)
  self.dispatcher:rerun(self.records[label])
end

---@param label string
function Bench:release(label)
  self.dispatcher:release(self.records[label])
  free(self, self.records[label])
end

---@param label string
---@return string
function Bench:state(label)
  return unit.record.state(self.records[label])
end

---Ends everything; whatever the dispatcher still has then is a failure.
function Bench:destroy()
  for _, record in pairs(self.records) do
    if unit.record.state(record) == "running" then
      self.dispatcher:finish(record, "release")
    end
  end
  self:collect()
  for _, lane in ipairs(self.lanes) do
    self:revoke(lane)
  end
  for worker = 1, 4 do
    pcall(self.dispatcher.leave, self.dispatcher, worker)
  end
  for name, count in pairs(self.dispatcher:counts()) do
    assert(count == 0, ("%d %s are left"):format(count, name))
  end
  assert(next(self.records) == nil, "records are lost")
  self.dispatcher:destroy()
end

return M

-- What the ledger of an oracle shows, and what is wrong with it.

local ledger = require("spec.support.oracle_ledger")

local M = {}

---@class spec.Verdicts
---@field wrong string[] sentences; empty when all is well
---@field handled integer records that ended, each time counted
---@field failed integer tries that failed and were not the last
---@field on_end? fun(entry: spec.LedgerEntry)
---@field on_begin? fun(entry: spec.LedgerEntry)
local Verdicts = {}
Verdicts.__index = Verdicts

local MAX_WRONG = 20

---@param path string of the ledger
---@param is_ordered boolean
---@return spec.Verdicts
function M.new(path, is_ordered)
  return setmetatable({
    ledger = ledger.new(path),
    is_ordered = is_ordered,
    wrong = {},
    begun = {}, -- [partition][offset]: times
    ended = {},
    running = {}, -- ["pid partition offset"]: entry
    busy_keys = {}, -- ["pid key"]: entry
    last = {}, -- [partition]: the highest offset that ended
    keys = {}, -- [key]: the highest number that ended
    safe = {}, -- [partition]: all before this offset have ended
    committed = {},
    handled = 0,
    failed = 0,
  }, Verdicts)
end

function Verdicts:blame(...)
  if #self.wrong < MAX_WRONG then
    table.insert(self.wrong, (...):format(select(2, ...)))
  end
end

local function count(counts, partition, offset)
  local of_partition = counts[partition]
  if not of_partition then
    of_partition = {}
    counts[partition] = of_partition
  end
  of_partition[offset] = (of_partition[offset] or 0) + 1
end

local function name(entry)
  return ("%d:%d (key %s, process %d)"):format(entry.partition, entry.offset, entry.key, entry.pid)
end

function Verdicts:judge_order(entry)
  local busy = self.busy_keys[entry.pid .. " " .. entry.key]
  if busy then
    self:blame("%s began while %s of its key was running", name(entry), name(busy))
  end
  self.busy_keys[entry.pid .. " " .. entry.key] = entry
  if entry.number > (self.keys[entry.key] or 0) + 1 then
    self:blame("%s began as number %d of its key after number %d", name(entry), entry.number,
      self.keys[entry.key] or 0)
  end
end

function Verdicts:begin(id, entry)
  if self.running[id] then
    self:blame("%s ran twice at once", name(entry))
  end
  self.running[id] = entry
  count(self.begun, entry.partition, entry.offset)
  if self.is_ordered and entry.number > 0 then
    self:judge_order(entry)
  end
  if self.on_begin then
    self.on_begin(entry)
  end
end

function Verdicts:finish(id, entry)
  if not self.running[id] then
    self:blame("%s ended without a beginning", name(entry))
    return
  end
  self.running[id] = nil
  self.handled = self.handled + 1
  count(self.ended, entry.partition, entry.offset)
  self.last[entry.partition] = math.max(self.last[entry.partition] or -1, entry.offset)
  if self.is_ordered and entry.number > 0 then
    self.busy_keys[entry.pid .. " " .. entry.key] = nil
    self.keys[entry.key] = math.max(self.keys[entry.key] or 0, entry.number)
  end
  if self.on_end then
    self.on_end(entry)
  end
end

function Verdicts:fail(id, entry)
  if not self.running[id] then
    self:blame("%s failed without a beginning", name(entry))
  end
  self.running[id] = nil
  self.failed = self.failed + 1
  if self.is_ordered and entry.number > 0 then
    self.busy_keys[entry.pid .. " " .. entry.key] = nil
  end
end

---Reads what was written since the last time.
function Verdicts:read()
  self.ledger:read(function(entry)
    local id = ("%d %d %d"):format(entry.pid, entry.partition, entry.offset)
    if entry.mark == "B" then
      self:begin(id, entry)
    elseif entry.mark == "F" then
      self:fail(id, entry)
    else
      self:finish(id, entry)
    end
  end)
end

---Every record below what is committed has ended, and what is committed never goes back.
---@param committed table<integer, integer> by partition
function Verdicts:judge_commit(committed)
  for partition, offset in pairs(committed) do
    local ended = self.ended[partition] or {}
    local safe = self.safe[partition] or 0
    while safe < offset do
      if not ended[safe] then
        self:blame("%d is committed in partition %d, and %d has not ended", offset, partition, safe)
        break
      end
      safe = safe + 1
    end
    self.safe[partition] = safe
    if offset < (self.committed[partition] or 0) then
      self:blame("partition %d: the commit went back from %d to %d", partition,
        self.committed[partition], offset)
    end
    self.committed[partition] = offset
  end
end

---These offsets hold nothing that is handled.
---@param partition integer
---@param first integer
---@param last integer
function Verdicts:excuse(partition, first, last)
  for offset = first, last do
    count(self.ended, partition, offset)
  end
end

---@param ends table<integer, integer> the offset after the last record, by partition
---@return string[] "partition:offset" of those that never ended
function Verdicts:missing(ends)
  local missing = {}
  for partition, offset in pairs(ends) do
    local ended = self.ended[partition] or {}
    for i = 0, offset - 1 do
      if not ended[i] then
        table.insert(missing, ("%d:%d"):format(partition, i))
      end
    end
  end
  return missing
end

---@param counts "begun"|"ended"
---@return integer records for which that happened more than once
function Verdicts:repeated(counts)
  local repeated = 0
  for _, of_partition in pairs(self[counts]) do
    for _, times in pairs(of_partition) do
      repeated = repeated + (times > 1 and 1 or 0)
    end
  end
  return repeated
end

---How many records run.
---@param filter {partition: integer?, offset: integer?, pid: integer?}
---@return integer
function Verdicts:count_running(filter)
  local running = 0
  for _, entry in pairs(self.running) do
    local fits = true
    for field, value in pairs(filter) do
      fits = fits and entry[field] == value
    end
    running = running + (fits and 1 or 0)
  end
  return running
end

return M

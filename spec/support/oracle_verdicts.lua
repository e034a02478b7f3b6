-- What the ledger of an oracle shows, and what is wrong with it.

local ledger = require("spec.support.oracle_ledger")
local order = require("spec.support.oracle_order")
local tally = require("spec.support.oracle_tally")

local M = {}

---What is wrong by letter: O the order, S a commit passed what had not ended, C a commit went back.
---@class spec.Verdicts: spec.Tally
---@field wrong string[] sentences; empty when all is well
---@field counts table<string, integer> by letter: how often
---@field sentences table<string, string[]> by letter: the first of them
---@field handled integer records that ended, each time counted
---@field again integer those of them that had ended before
---@field handled_by table<integer, integer> by process
---@field failed integer tries that failed and were not the last
---@field order spec.Order
---@field on_end? fun(entry: spec.LedgerEntry)
---@field on_begin? fun(entry: spec.LedgerEntry)
local Verdicts = setmetatable({}, { __index = tally })
Verdicts.__index = Verdicts

local MAX_SENTENCES = 20

---@param path string of the ledger
---@param is_ordered boolean
---@return spec.Verdicts
function M.new(path, is_ordered)
  local self = setmetatable({
    ledger = ledger.new(path),
    wrong = {},
    counts = {},
    sentences = {},
    running = {}, -- ["pid partition offset"]: entry
    given_up = {}, -- ["partition offset"]: entry; whether it was is for the dead letters to say
    last_pid = {}, -- [partition]: which process that was
    committed = {},
    handled = 0,
    again = 0,
    handled_by = {},
    failed = 0,
  }, Verdicts)
  self:start_tally()
  self.order = order.new(is_ordered, function(sentence)
    self:blame("O", sentence)
  end)
  self.keys = self.order.keys
  return self
end

---@param letter string
---@param sentence string
function Verdicts:blame(letter, sentence)
  self.counts[letter] = (self.counts[letter] or 0) + 1
  self.sentences[letter] = self.sentences[letter] or {}
  for _, list in ipairs({ self.wrong, self.sentences[letter] }) do
    if #list < MAX_SENTENCES then
      table.insert(list, sentence)
    end
  end
end

function Verdicts:begin(id, entry)
  if self.running[id] then
    self:blame("O", order.name(entry) .. " ran twice at once")
  end
  self.running[id] = entry
  tally.count(self.begun, entry.partition, entry.offset)
  self.order:begin(entry)
  if self.on_begin then
    self.on_begin(entry)
  end
end

function Verdicts:finish(id, entry)
  local begun = self.running[id]
  if not begun then
    self:blame("O", order.name(entry) .. " ended without a beginning")
    return
  end
  self.running[id] = nil
  self.handled = self.handled + 1
  self.handled_by[entry.pid] = (self.handled_by[entry.pid] or 0) + 1
  local place = entry.partition .. " " .. entry.offset
  if self.given_up[place] then
    self.given_up[place] = nil
  elseif tally.count(self.ended, entry.partition, entry.offset) > 1 then
    self.again = self.again + 1
  end
  if entry.offset > (self.last[entry.partition] or -1) then
    self.last[entry.partition] = entry.offset
  end
  self.last_pid[entry.partition] = entry.pid
  self.order:finish(begun)
  if self.on_end then
    self.on_end(entry)
  end
end

function Verdicts:fail(id, entry)
  local begun = self.running[id]
  if not begun then
    self:blame("O", order.name(entry) .. " failed without a beginning")
    return
  end
  self.running[id] = nil
  self.failed = self.failed + 1
  if entry.mark == "G" then
    self:give_up(begun)
    if self.on_end then
      self.on_end(entry)
    end
  else
    self.order:leave(entry)
  end
end

-- Its successors may go on, and a commit may pass it: so it counts as ended, until it is.
function Verdicts:give_up(begun)
  local place = begun.partition .. " " .. begun.offset
  if not self:has_ended(begun) then
    tally.count(self.ended, begun.partition, begun.offset)
    self.given_up[place] = begun
  end
  self.last[begun.partition] = math.max(self.last[begun.partition] or -1, begun.offset)
  self.order:finish(begun)
end

---Reads what was written since the last time.
function Verdicts:read()
  self.ledger:read(function(entry)
    local id = ("%d %d %d"):format(entry.pid, entry.partition, entry.offset)
    if entry.mark == "B" then
      self:begin(id, entry)
    elseif entry.mark ~= "E" then
      self:fail(id, entry)
    else
      self:finish(id, entry)
    end
  end)
end

---A process is over: what it ran runs no more.
---@param pid integer
---@return spec.LedgerEntry[] what that was
function Verdicts:forget_process(pid)
  self:read()
  local left = {}
  for id, entry in pairs(self.running) do
    if entry.pid == pid then
      self.running[id] = nil
      self.order:leave(entry)
      table.insert(left, entry)
    end
  end
  return left
end

---Every record below what is committed has ended, and what is committed never goes back.
---@param committed table<integer, integer> by partition
function Verdicts:judge_commit(committed)
  for partition, offset in pairs(committed) do
    local safe = self:advance(partition, offset)
    if safe < offset then
      self:blame("S", ("%d is committed in partition %d, and %d has not ended"):format(offset,
        partition, safe))
    end
    if offset < (self.committed[partition] or 0) then
      self:blame("C", ("partition %d: the commit went back from %d to %d"):format(partition,
        self.committed[partition], offset))
    end
    self.committed[partition] = offset
  end
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

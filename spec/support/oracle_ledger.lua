-- What an oracle's handlers wrote down, line by line in the order it happened.

local directory = require("spec.support.directory")

local M = {}

---What a handler wrote when it began or ended.
---@class spec.LedgerEntry
---@field mark "B"|"E"|"F"|"G" it began, it ended, it failed and is to be tried again, it failed and
--- may be given up
---@field partition integer
---@field offset integer
---@field at integer milliseconds since 1970
---@field sent_at integer the same: the record's timestamp
---@field worker integer
---@field generation integer
---@field pid integer
---@field key string
---@field number integer which of its key's records it is; 0: that does not matter

---@class spec.Ledger
local Ledger = {}
Ledger.__index = Ledger

local NUMBER = " (%d+)"
local LINE = "(%u)" .. NUMBER:rep(8) .. " ([^\n]*)\n"

---@param path string of a file that is made
---@return spec.Ledger
function M.new(path)
  directory.write(path, "")
  return setmetatable({ file = assert(io.open(path, "rb")), rest = "" }, Ledger)
end

---Calls back for each line that came since the last time.
---@param on_entry fun(entry: spec.LedgerEntry)
function Ledger:read(on_entry)
  local text = self.rest .. (self.file:read("a") or "")
  local whole = text:match("^.*\n") or ""
  self.rest = text:sub(#whole + 1)
  for mark, pid, worker, generation, partition, offset, at, sent_at, number, key
    in whole:gmatch(LINE) do
    on_entry({ mark = mark, pid = math.tointeger(pid), worker = math.tointeger(worker),
      generation = math.tointeger(generation), partition = math.tointeger(partition),
      offset = math.tointeger(offset), at = math.tointeger(at), sent_at = math.tointeger(sent_at),
      number = math.tointeger(number), key = key })
  end
end

return M

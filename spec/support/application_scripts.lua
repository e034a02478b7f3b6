-- What every application of a spec finds beside its own scripts. @FOLDER@ is the application's.

local M = {}

-- Scripts say what they saw in lines of JSON. One write a line, so that those of several workers
-- and processes do not mix.
M.journal = [[
local lagoon = require("lagoon")

local file = assert(io.open("@FOLDER@/journal", "a"))
file:setvbuf("no")

local M = {}

function M.hex(bytes)
  return bytes and (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

function M.note(fields)
  assert(file:write(lagoon.json.encode(fields) .. "\n"))
end

-- The lines so far that say it.
function M.read(what)
  local lines = {}
  for line in io.lines("@FOLDER@/journal") do
    if line:find('"' .. what .. '"', 1, true) then
      table.insert(lines, line)
    end
  end
  return lines
end

-- What tells a record from others, and what the handler adds.
function M.record(context, fields)
  local entry = { topic = context.topic, partition = context.partition, offset = context.offset,
    key = context.key, worker = context.worker, at = lagoon.now() }
  for name, value in pairs(fields or {}) do
    entry[name] = value
  end
  M.note(entry)
end

return M
]]

-- A gate stays shut until the spec opens it. `wait` yields, `block` holds the thread.
M.gate = [[
local lagoon = require("lagoon")

local M = {}

function M.wait(name)
  while true do
    local file = io.open("@FOLDER@/gates/" .. name)
    if file then
      file:close()
      return
    end
    lagoon.sleep("2ms")
  end
end

function M.is_open(name)
  local file = io.open("@FOLDER@/gates/" .. name)
  return file ~= nil and file:close()
end

-- The file is a FIFO: opening it for reading waits for a writer.
function M.block(name)
  assert(io.open("@FOLDER@/gates/" .. name)):close()
end

return M
]]

return M

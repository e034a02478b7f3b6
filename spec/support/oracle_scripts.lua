-- The scripts of an oracle's application.

local M = {}

local LEDGER = [[
local lagoon = require("lagoon")

local pid = io.open("/proc/self/stat"):read("n")
local file = assert(io.open(%q, "a"))
file:setvbuf("line")

local M = {}

local function write(mark, event, context)
  assert(file:write(("%%s %%d %%d %%d %%d %%d %%d %%d %%s\n"):format(mark, pid, context.worker,
    context.partition, context.offset, lagoon.now(), context.timestamp, event.n or 0,
    context.key or "-")))
end

function M.begin(event, context)
  write("B", event, context)
end

function M.finish(event, context)
  write("E", event, context)
end

return M
]]

-- What handlers do. sleep_ms yields the worker, block_ms keeps it, random_ms is one of both up to
-- that long. wait_gate yields and block_gate keeps it until the spec opens the gate. publish writes
-- that many records.
local WORK = [[
local lagoon = require("lagoon")
local ledger = require("ledger")
local uv = require("luv")

local out = lagoon.producer("out")

local function pass_gate(name, wait)
  local file
  repeat
    wait()
    file = io.open(%q .. name)
  until file
  file:close()
end

local function wait()
  lagoon.sleep(0.005)
end

local function block()
  uv.sleep(5)
end

local function work(event)
  if event.sleep_ms then
    lagoon.sleep(event.sleep_ms / 1000)
  end
  if event.block_ms then
    uv.sleep(event.block_ms)
  end
  if event.random_ms then
    local delay_ms = math.random(0, event.random_ms)
    if math.random(10) == 1 then
      uv.sleep(delay_ms)
    else
      lagoon.sleep(delay_ms / 1000)
    end
  end
  if event.wait_gate then
    pass_gate(event.wait_gate, wait)
  end
  if event.block_gate then
    pass_gate(event.block_gate, block)
  end
  for i = 1, event.publish or 0 do
    out:publish("Done", { order_id = event.order_id, n = event.n, i = i },
      { key = event.order_id })
  end
end

return function(event, context)
  ledger.begin(event, context)
  work(event)
  ledger.finish(event, context)
end
]]

---@param folder string of the application
---@return table<string, string> source by module
function M.at(folder)
  return { ledger = LEDGER:format(folder .. "/ledger"), work = WORK:format(folder .. "/gates/") }
end

return M

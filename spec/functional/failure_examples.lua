-- The ways to fail that failure_spec.lua goes through.

local M = {}

-- Each way to fail is named like its example. With MENDED set all of them succeed.
local FAILS = [[
local journal = require("journal")
local lagoon = require("lagoon")
local stock = require("services.stock")

-- Used once each, so that the partitions are not known yet at the call.
local first, second = lagoon.producer("first"), lagoon.producer("second")
local kept
local M = {}

function M.raises() error("no stock") end
function M.service() stock.reserve() end
function M.bug() local order; return order.id end
M["nil, reason"] = function() return nil, "no stock" end
M["false, reason"] = function() return false, "no stock" end
M["nil, table"] = function()
  return nil, setmetatable({}, { __tostring = function() return "T" end })
end
M["error(nil)"] = function() error(nil) end
M["error({})"] = function() error({}) end
M["error(tostring)"] = function()
  error(setmetatable({}, { __tostring = function() return "out of stock" end }))
end
M["bad tostring"] = function()
  error(setmetatable({}, { __tostring = function() error("worse") end }))
end
M["yields"] = function() coroutine.yield() end
M["yields deep"] = function() table.pack(pcall(coroutine.yield, 1)) end
M["after sleep"] = function() lagoon.sleep("1ms") error("late") end
M["overflow"] = function() local function f() return 1 + f() end return f() end
M["kept context"] = function(_, context)
  if kept then
    return kept.topic
  end
  kept = context
end
M["refused, awaited in pcall"] = function()
  pcall(function() first:publish("Sent", {}, { key = "k", partition = 99 }):await() end)
end
M["no partition"] = function() second:publish("Sent", {}, { key = "k", partition = 99 }) end

return function(event, context)
  journal.record(context, { example = event.example, n = event.n, run = lagoon.env("RUN") })
  if event.example and not lagoon.env("MENDED", false) then
    return M[event.example](event, context)
  end
end
]]

local STOCK = [[
local M = {}
function M.reserve()
  error("the warehouse is closed")
end
return M
]]

---Where in the handler this text is.
local function at(text)
  local first = assert(FAILS:find(text, 1, true))
  local _, lines = FAILS:sub(1, first):gsub("\n", "")
  return ("scripts/handlers/fails.lua:%d: "):format(lines + 1)
end

local REFUSED = "a record that its handler published was refused: topic \""
local YIELDED = "the handler called coroutine.yield outside of a coroutine of its own"

-- The reason that the log gives, the beginning of it. What raises has a traceback behind.
M.list = {
  { "raises", at('error("no stock")') .. "no stock\n", is_traced = true },
  { "service", "scripts/services/stock.lua:3: the warehouse is closed\n", is_traced = true },
  { "bug", at("local order;") .. "attempt to index a nil value (local 'order')\n",
    is_traced = true },
  { "nil, reason", "no stock" },
  { "false, reason", "no stock" },
  { "nil, table", "T" },
  { "error(nil)", "nil\n", is_traced = true },
  { "error({})", "{}", is_traced = true },
  { "error(tostring)", "out of stock\n", is_traced = true },
  { "bad tostring", "(no error message)" },
  { "yields", YIELDED },
  { "yields deep", YIELDED },
  { "after sleep", at('error("late")') .. "late\n", is_traced = true },
  { "overflow", at("1 + f()") .. "stack overflow", is_traced = true },
  { "kept context", at("kept.topic") .. "this context is over: its handler has returned\n",
    is_traced = true },
  { "refused, awaited in pcall", REFUSED, is_handled = true },
  { "no partition", REFUSED, is_handled = true },
}

M.scripts = { ["handlers/fails"] = FAILS, ["services/stock"] = STOCK }

return M

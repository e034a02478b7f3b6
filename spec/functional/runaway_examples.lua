-- Handlers that do not end by themselves, each in its way: the name, what the failure says, and the
-- handler's body.

local CPU = "ended: it used 0.2 s of CPU time without a wait (cpu_limit)"
local TIME = "ended: it ran longer than 1.0 s (handler_timeout)"

return {
  { "loop", CPU, "while true do end" },
  { "loop in pcall", CPU, "while true do pcall(function() while true do end end) end" },
  { "loop that catches", CPU, "while true do pcall(error) end" },
  { "loop in a coroutine", CPU,
    "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()" },
  { "loop over coroutines", CPU,
    "while true do coroutine.resume(coroutine.create(function() while true do end end)) end" },
  { "message handler", CPU,
    "xpcall(error, function() while true do end end)" },
  { "xpcall around it", CPU,
    "local function spin() while true do end end while true do xpcall(spin, spin) end" },
  { "metamethod", CPU,
    "local t = setmetatable({}, { __index = function() while true do end end }) return t.x" },
  { "close", CPU,
    "local x <close> = setmetatable({}, { __close = function() while true do end end })" },
  { "sort", CPU,
    "table.sort({ 1, 2, 3 }, function() while true do end end)" },
  { "sleep", TIME, "lagoon.sleep('1h')" },
  { "sleeps", TIME, "while true do lagoon.sleep('10ms') end" },
  { "sleep in pcall", TIME, "while true do pcall(lagoon.sleep, '1h') end" },
  { "sleep in a coroutine", TIME, "coroutine.wrap(function() lagoon.sleep('1h') end)()" },
  { "loop behind a sleep", TIME, "pcall(lagoon.sleep, '1h') while true do end" },
}

-- Handlers that do not end by themselves, each in its way: the name, what the failure says, and the
-- handler's body. The busy ones use CPU time, or memory; the late ones have no limit of these.

local CPU = "ended: it used 0.2 s of CPU time without a wait (cpu_limit)"
local MEMORY = "not enough memory: a Lua state may use 16777216 bytes (lua.memory_limit)"
local TIME = "ended: it ran longer than 1.0 s (handler_timeout)"

return {
  busy = {
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
    { "close behind an error", "the first error",
      "local x <close> = setmetatable({}, { __close = function() while true do end end }) " ..
      "error('the first error')" },
    { "sort", CPU,
      "table.sort({ 1, 2, 3 }, function() while true do end end)" },
    { "table flood", MEMORY, "local t = {} for i = 1, math.huge do t[i] = {} end" },
    { "long text", MEMORY, "return ('x'):rep(2 ^ 30)" },
    { "doubling text", MEMORY, "local s = 'x' while true do s = s .. s end" },
    { "recursion", MEMORY, "local function down() return 1 + down() end down()" },
  },
  late = {
    { "sleep", TIME, "lagoon.sleep('1h')" },
    { "sleeps", TIME, "while true do lagoon.sleep('10ms') end" },
    { "sleep in pcall", TIME, "while true do pcall(lagoon.sleep, '1h') end" },
    { "sleep in a coroutine", TIME, "coroutine.wrap(function() lagoon.sleep('1h') end)()" },
    { "loop behind a sleep", TIME, "pcall(lagoon.sleep, '1h') while true do end" },
  },
}

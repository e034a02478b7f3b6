-- Handlers that do not end before a stop's time for handlers is over, each in its way: the name and
-- the body. None of them may come to `after`, all but the last three come to `closed`.

return {
  { "sleep", "lagoon.sleep('1h') after()" },
  { "sleeps", "while true do lagoon.sleep('5ms') end" },
  { "sleep in pcall", "pcall(lagoon.sleep, '1h') after()" },
  { "sleep in a function in pcall", "pcall(function() lagoon.sleep('1h') end) after()" },
  { "sleep in xpcall", "xpcall(lagoon.sleep, after, '1h') after()" },
  { "sleep in pcall, for ever", "while true do pcall(lagoon.sleep, '1h') after() end" },
  { "sleep in a coroutine", "coroutine.wrap(function() lagoon.sleep('1h') end)() after()" },
  { "sleep in a coroutine that is resumed",
    "coroutine.resume(coroutine.create(function() lagoon.sleep('1h') end)) after()" },
  { "loop", "while true do end" },
  { "loop in pcall", "pcall(function() while true do end end) after()" },
  { "loop in pcall, for ever",
    "while true do pcall(function() while true do end end) after() end" },
  { "loop in a coroutine",
    "coroutine.resume(coroutine.create(function() while true do end end)) after()" },
  { "loop in sort", "table.sort({ 1, 2, 3 }, function() while true do end end) after()" },
  { "skipped before", "pcall(lagoon.skip, 'no') lagoon.sleep('1h') after()" },
  { "sleep while it closes", "local slow <close> = setmetatable({}, { __close = function() " ..
    "lagoon.sleep('1h') after() end }) lagoon.sleep('1h') after()" },
  { "loop while it closes", "local slow <close> = setmetatable({}, { __close = function() " ..
    "while true do end end }) lagoon.sleep('1h') after()", is_late = true },
  { "loop while it closes, in pcall", "pcall(function() local slow <close> = setmetatable({}, " ..
    "{ __close = function() while true do end end }) while true do end end) after()",
    is_late = true },
  { "loop that is caught in C", "require('cjson.safe').encode(setmetatable({}, { __index = " ..
    "function() while true do end end }))  while true do end", is_late = true },
}

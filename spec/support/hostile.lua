-- Handlers that do not end by themselves, or take all memory, for the chaos scenarios.

local M = {}

---The kinds that the runtime ends, each with the body of its handler.
---@type {name: string, body: string}[]
M.kinds = {
  { name = "endless loop", body = "while true do end" },
  { name = "loop in pcall", body = "while true do pcall(function() while true do end end) end" },
  { name = "loop in a coroutine",
    body = "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()" },
  { name = "loop in xpcall's handler", body = "xpcall(error, function() while true do end end)" },
  { name = "table flood", body = "local t = {} for i = 1, math.huge do t[i] = {} end" },
  { name = "string.rep(2^30)", body = "return ('x'):rep(2 ^ 30)" },
  { name = "deep recursion", body = "local function down() return 1 + down() end down()" },
}

---One that nothing ends before it has its answer: it is in a C function.
M.PATTERN_BOMB = "pattern bomb"

-- What the bomb costs grows with the fourth power of the text's length.
local BOMB = ".-.-.-b"
local SAMPLE_LENGTH, POWER = 150, 4

---The script `hostile`: a function for each kind, by its name.
---@return string
function M.source()
  local lines = { "local M = {}" }
  for _, kind in ipairs(M.kinds) do
    table.insert(lines, ("M[%q] = function() %s end"):format(kind.name, kind.body))
  end
  table.insert(lines, ("M[%q] = function(event) ('a'):rep(event.length):find(%q) end"):format(
    M.PATTERN_BOMB, BOMB))
  table.insert(lines, "return M\n")
  return table.concat(lines, "\n")
end

---How long the bomb's text has to be to keep a core of this machine busy for that long.
---@param seconds number
---@return integer
function M.bomb_length(seconds)
  local best = math.huge
  for _ = 1, 5 do
    local began = os.clock()
    ;("a"):rep(SAMPLE_LENGTH):find(BOMB)
    best = math.min(best, os.clock() - began)
  end
  return math.ceil(SAMPLE_LENGTH * (seconds / best) ^ (1 / POWER))
end

return M

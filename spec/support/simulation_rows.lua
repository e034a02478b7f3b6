-- Rows of games: each seed is one, played in a child process.

local child = require("unit").child
local shrink = require("spec.support.simulation_shrink")
local simulation = require("spec.support.simulation")

local M = {}

local STEPS_A_GAME = 2000
local GAMES_A_ROW = 100000 -- at most, so that no two rows have the same game
local LIMIT_S = 600

---The numbers of the steps of a whole game.
---@return integer[]
function M.steps()
  local numbers = {}
  for number = 1, STEPS_A_GAME do
    numbers[number] = number
  end
  return numbers
end

-- Names and counts as one line, which a child hands to its parent.
local function pack(counts)
  local words = {}
  for name, count in pairs(counts) do
    table.insert(words, name .. "=" .. count)
  end
  return table.concat(words, " ")
end

local function add(total, text)
  for name, count in text:gmatch("(%S+)=(%d+)") do
    total[name] = (total[name] or 0) + math.tointeger(count)
  end
end

local function play(seed, wanted)
  local counts, numbers = { events = 0, games = 0 }, M.steps()
  while counts.events < wanted do
    local seen, events = simulation.play(seed * GAMES_A_ROW + counts.games, numbers)
    counts.games, counts.events = counts.games + 1, counts.events + events
    for name, times in pairs(seen) do
      counts[name] = (counts[name] or 0) + times
    end
  end
  return pack(counts)
end

-- Each game by itself until one fails: what ended the row may have been a signal, which tells of no
-- game.
local function explain(seed, wanted, message)
  local numbers = M.steps()
  local most = math.min(GAMES_A_ROW, wanted)
  for game = seed * GAMES_A_ROW, seed * GAMES_A_ROW + most - 1 do
    if shrink.problem(game, numbers) then
      return ("game %d: %s"):format(game, shrink.report(game, numbers))
    end
  end
  return "only after other games: " .. message
end

---Plays games of the row until there were so many events.
---@param seed integer
---@param events integer
---@param total table<string, integer> to which it adds what there was
---@return string? problem the first game that broke a promise, with its shortest steps
function M.play(seed, events, total)
  local how, text = child.run(function()
    return play(seed, events)
  end, LIMIT_S)
  if how ~= "returned" then
    return explain(seed, events, how .. ": " .. text)
  end
  add(total, text)
  return nil
end

return M

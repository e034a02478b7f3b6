-- make simulate: plays seeded games against the model and says how many kept every promise.
--
-- SEEDS=7 or 1..200  each seed is a row of games
-- EVENTS=100000      so many events of each seed, at least
-- GAME=N STEPS=1,2   only that game, or some of its steps, and what happens in it

local clock = require("luv").hrtime
local rows = require("spec.support.simulation_rows")
local shrink = require("spec.support.simulation_shrink")

local function fail(...)
  io.stderr:write("simulate: ", string.format(...), "\n")
  os.exit(2)
end

local function number_of(name, text)
  local number = math.tointeger(tonumber(text))
  if not number or number < 0 then
    fail("%s=%s is no number", name, text)
  end
  return number
end

local function seeds_of(text)
  local first, last = text:match("^(%d+)%.%.(%d+)$")
  first, last = math.tointeger(tonumber(first or text)), math.tointeger(tonumber(last or text))
  if not first or last < first then
    fail("SEEDS=%s is neither a number nor two as in 1..200", text)
  end
  return first, last
end

local function numbers_of(text)
  if text == "" then
    return rows.steps()
  end
  local numbers = {}
  for number in text:gmatch("[^,]+") do
    table.insert(numbers, number_of("STEPS", number))
  end
  return numbers
end

local function tell_one(game, numbers)
  io.write(shrink.story(game, numbers), "\n")
  local problem = shrink.problem(game, numbers)
  print(problem and "0 passed, 1 failed" or "1 passed, 0 failed")
  return problem == nil
end

local function say(total, seconds)
  print(("%d events in %d games and %.1f s, %d a second; of them"):format(total.events, total.games,
    seconds, total.events // seconds))
  total.events, total.games = nil, nil
  local names = {}
  for name in pairs(total) do
    table.insert(names, name)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    print(("%10d %s"):format(total[name], (name:gsub("_", " "))))
  end
end

local function play_all(first, last, events)
  local total, started = { events = 0, games = 0 }, clock()
  local failed = 0
  for seed = first, last do
    local problem = rows.play(seed, events, total)
    if problem then
      failed = failed + 1
      print(("seed %d, %s"):format(seed, problem))
      io.stdout:flush()
    end
  end
  say(total, (clock() - started) / 1e9)
  print(("%d passed, %d failed"):format(last - first + 1 - failed, failed))
  return failed == 0
end

local options = {}
for _, argument in ipairs(arg) do
  local name, value = argument:match("^(%u+)=(.*)$")
  options[name or fail("what is %s?", argument)] = value
end
local is_good
if options.GAME ~= "" then
  is_good = tell_one(number_of("GAME", options.GAME), numbers_of(options.STEPS))
else
  local first, last = seeds_of(options.SEEDS)
  is_good = play_all(first, last, number_of("EVENTS", options.EVENTS))
end
os.exit(is_good)

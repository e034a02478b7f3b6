-- The checker checked: the program with a fault planted in it, one after the other, is run through
-- the scenario that has to find it; and the program as it is, through the same ones, which have to
-- find nothing.
--
--   lua5.4 spec/chaos/selftest.lua [NAME...]     only these faults; `make chaos-selftest` runs it

local kafka = require("spec.support.kafka")
local lagoon = require("spec.support.lagoon")
local planting = require("spec.chaos.planting")
local scope = require("spec.support.scope")
local trial = require("spec.chaos.trial")
local uv = require("luv")

local BUILD = os.getenv("LAGOON_BUILD") or "build"

local passed, failed = 0, 0

local function say(is_good, ...)
  passed, failed = passed + (is_good and 1 or 0), failed + (is_good and 0 or 1)
  print((...):format(select(2, ...)))
  io.stdout:flush()
end

-- Starts nothing that outlives it.
local function run(brokers, plant)
  local began = uv.hrtime()
  scope.open()
  local ok, verdict, sentence = pcall(function()
    local scenario = require("spec.chaos.pointed." .. plant.scenario)

require("spec.support.broken_pipe")
    return trial.new(brokers, plant.options):run(scenario)
  end)
  scope.close()
  return ok, verdict, sentence, (uv.hrtime() - began) / 1e9
end

local function name_of_options(options)
  local names = {}
  for name, value in pairs(options or {}) do
    table.insert(names, (" %s=%s"):format(name, value))
  end
  table.sort(names)
  return table.concat(names)
end

-- The program as it is, through what the faults are run through.
local function check_unplanted(brokers, plants)
  local seen = {}
  for _, plant in ipairs(plants) do
    local name = plant.scenario .. name_of_options(plant.options)
    if not seen[name] then
      seen[name] = true
      local ok, verdict, sentence, seconds = run(brokers, plant)
      if not ok then
        say(false, "broken: %s: %s", name, verdict)
      elseif verdict then
        say(false, "wrong: %s finds %s in the program as it is after %.1f s, %s", name, verdict,
          seconds, sentence)
      else
        say(true, "clean: %s after %.1f s", name, seconds)
      end
    end
  end
end

local function check_planted(brokers, plant)
  local built, folder = pcall(planting.build, plant, BUILD)
  if not built then
    say(false, "broken: %s: %s", plant.name, folder)
    return
  end
  local path = lagoon.path
  lagoon.path = ("%s/%s/lagoon"):format(uv.cwd(), folder)
  local ok, verdict, sentence, seconds = run(brokers, plant)
  lagoon.path = path
  if not ok then
    say(false, "broken: %s: %s", plant.name, verdict)
  elseif not verdict then
    say(false, "not found: %s: %s (%s, %.1f s)", plant.name, plant.what, plant.scenario, seconds)
  else
    local expected = verdict ~= plant.verdict and (" (expected was %s)"):format(plant.verdict) or ""
    say(true, "found: %s: %s%s after %.1f s, %s", plant.name, verdict, expected, seconds, sentence)
  end
end

local function chosen(names)
  if #names == 0 then
    return planting.plants()
  end
  local plants = {}
  for i, name in ipairs(names) do
    plants[i] = planting.find(name)
    if not plants[i] then
      io.stderr:write(("there is no fault %s in spec/chaos/plants\n"):format(name))
      os.exit(2)
    end
  end
  return plants
end

local plants = chosen(arg)
local brokers = scope.at_end(kafka.start).brokers
check_unplanted(brokers, plants)
for _, plant in ipairs(plants) do
  check_planted(brokers, plant)
end
scope.finish()
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and 0 or 1, true)

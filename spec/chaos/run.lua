-- make chaos: plays one scenario on a real Kafka and says what it did to the promises.
--
-- SCENARIO=kills  one of spec/chaos/scenarios; LIST=1 names them
-- SEED=7          what its dice show; drawn and said unless it is given
-- RECORDS=200000  at least so many, FAULTS=20 so many, instead of the scenario's own
-- REQUESTS=5000  the same, where faults are requests
-- SECONDS=60      so long, where what happens lasts instead of happening again and again
-- RATE=5000       so many records a second, where the scenario has a rate
-- BROKERS=...     a Kafka that runs already

local lfs = require("lfs")
local uv = require("luv")

local directory = require("spec.support.directory")
local rig = require("spec.chaos.rig")
local sanitizer = require("spec.support.sanitizer")
local scope = require("spec.support.scope")

require("spec.support.broken_pipe")

local FOLDER = "spec/chaos/scenarios"
local LOGS = (os.getenv("LAGOON_BUILD") or "build") .. "/chaos"

local function fail(...)
  io.stderr:write("chaos: ", string.format(...), "\n")
  os.exit(2)
end

local function load_scenario(name)
  if not lfs.attributes(("%s/%s.lua"):format(FOLDER, name)) then
    fail("there is no SCENARIO=%s, but %s", name, table.concat(directory.modules(FOLDER), ", "))
  end
  return require("spec.chaos.scenarios." .. name)
end

local function list_all()
  for _, name in ipairs(directory.modules(FOLDER)) do
    print(("%-19s %s"):format(name, load_scenario(name).says))
  end
end

local function number_of(options, name)
  if options[name] == "" then
    return nil
  end
  local number = math.tointeger(tonumber(options[name]))
  if not number or number < 0 then
    fail("%s=%s is no number", name, options[name])
  end
  return number
end

-- A scenario goes by one of the two.
local function refuse_other(scenario, name, options)
  local wanted, other = "FAULTS", "SECONDS"
  if scenario.seconds then
    wanted, other = other, wanted
  end
  if options[other] ~= "" then
    fail("%s goes by %s, not by %s", name, scenario.faults and wanted or "RECORDS", other)
  end
end

local function parse(arguments)
  local options = { SCENARIO = "", SEED = "", RECORDS = "", FAULTS = "", SECONDS = "",
    RATE = "", BROKERS = "", LIST = "", REQUESTS = "" }
  for _, argument in ipairs(arguments) do
    local name, value = argument:match("^(%u+)=(.*)$")
    if not name or not options[name] then
      fail("what is %s?", argument)
    end
    options[name] = value
  end
  return options
end

-- Ctrl-C ends it as a wait would end, so that nothing is left behind.
local function heed_signals(played)
  local handles = {}
  for i, signal in ipairs({ "sigint", "sigterm" }) do
    handles[i] = uv.new_signal()
    handles[i]:start(signal, function()
      played.is_interrupted = true
    end)
  end
end

local function extent_of(played)
  return played.scenario.seconds and "SECONDS=" .. played.lasts_s or "FAULTS=" .. played.count
end

local function play(name, options)
  local scenario = load_scenario(name)
  refuse_other(scenario, name, options)
  local seed = number_of(options, "SEED") or os.time() % 100000
  local played = rig.new(scenario, { seed = seed, records = number_of(options, "RECORDS"),
    faults = number_of(options, "FAULTS") or number_of(options, "REQUESTS"),
    seconds = number_of(options, "SECONDS"),
    rate = number_of(options, "RATE"),
    brokers = options.BROKERS ~= "" and options.BROKERS })
  print(("%s, seed %d, %d records: %s"):format(name, seed, played.records, scenario.says))
  heed_signals(played)
  local is_good, passed, failed = played:run()
  if not is_good then
    local folder = ("%s/%s-%d"):format(LOGS, name, seed)
    played:keep_logs(folder)
    print(("again: make chaos SCENARIO=%s SEED=%d RECORDS=%d %s"):format(name, seed,
      played.records, extent_of(played)))
    print("the ledger and the members' logs are in " .. folder)
  end
  scope.finish()
  failed = failed + sanitizer.show_reports(os.getenv("LAGOON_SPEC_REPORTS"))
  print(("%d passed, %d failed"):format(passed, failed))
  return failed == 0
end

local options = parse(arg)
if options.LIST ~= "" then
  list_all()
else
  os.exit(play(options.SCENARIO ~= "" and options.SCENARIO or "mixed", options), true)
end

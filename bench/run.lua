-- The benchmark: every case once a round, in turn, so that what else the machine does meets all of
-- them alike. `make bench` builds what it needs and starts this.

local directory = require("spec.support.directory")
local cases = require("bench.cases")
local data = require("bench.data")
local latency = require("bench.latency")
local measure = require("bench.measure")
local report = require("bench.report")
local scope = require("spec.support.scope")

require("spec.support.broken_pipe")

local build = os.getenv("LAGOON_BUILD") or "build"

local function number(name, default)
  local text = os.getenv(name)
  return text and text ~= "" and assert(math.tointeger(tonumber(text)), name .. " is no integer")
    or default
end

local function say(...)
  io.stdout:write(string.format(...), "\n")
  io.stdout:flush()
end

local function run_rounds(set, chosen, rounds)
  local results = {}
  for round = 1, rounds do
    say("round %d of %d", round, rounds)
    for _, case in ipairs(chosen) do
      local result = measure.once(set, case)
      say("  %-40s %9.0f records/s  %5.2f us  %.4f switches  %4.0f MiB", case.name, result.rate,
        result.cpu, result.switches, result.rss / 1048576)
      results[case.name] = results[case.name] or {}
      table.insert(results[case.name], result)
    end
  end
  return results
end

local function run_latency(set, rounds, rate, seconds)
  for _ = 1, rounds do
    local one = latency.once(set, rate, seconds)
    say("%d records/s for %d s, due to handled: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms; "
      .. "in lagoon without the handler: %.2f %% within 0.5 ms, %.2f %% within 1 ms",
      rate, seconds, one.p50, one.p99, one.p999, one.own["0.0005"] * 100, one.own["0.001"] * 100)
  end
end

local function main()
  local rounds, records = number("ROUNDS", 7), number("RECORDS", 3000000)
  local only = os.getenv("CASES")
  local chosen = cases.choose(only ~= "" and only or nil)
  say("%d records of 203 bytes, %d partitions, %d keys, %d rounds", records, data.partitions,
    data.keys, rounds)
  local set = data.new(build, records)
  if #chosen > 0 then
    local results = run_rounds(set, chosen, rounds)
    say("\n%s\n", report.table(chosen, results))
    say("the drawing is in %s",
      directory.write(build .. "/bench/cpu.svg", report.drawing(chosen, results)))
  end
  run_latency(set, math.min(rounds, 3), number("RATE", 10000), 20)
end

local ok, message = xpcall(main, debug.traceback)
scope.close()
if not ok then
  io.stderr:write(message, "\n")
end
os.exit(ok and 0 or 1)

-- From the moment a record is due to the end of its handler, at a steady rate. What is sent late
-- counts from when it was due, so a stall is not left out.

local data = require("bench.data")
local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local scope = require("spec.support.scope")
local unit = require("unit")
local uv = require("luv")
local wait = require("spec.support.wait")

local M = {}

local STEP_MS = 0.05

-- The counts of all workers, by step.
local function read(folder)
  local counts, total = {}, 0
  local entries = assert(uv.fs_scandir(folder))
  for name in function() return uv.fs_scandir_next(entries) end do
    for line in io.lines(folder .. "/" .. name) do
      local step, count = line:match("^(%-?%d+) (%d+)$")
      step, count = math.tointeger(step), math.tointeger(count)
      counts[step] = (counts[step] or 0) + count
      total = total + count
    end
  end
  return counts, total
end

local function percentile(counts, total, share)
  local steps, passed = {}, 0
  for step in pairs(counts) do
    table.insert(steps, step)
  end
  table.sort(steps)
  for _, step in ipairs(steps) do
    passed = passed + counts[step]
    if passed >= share * total then
      return (step + 1) * STEP_MS
    end
  end
end

local function wait_committed(set, group, expected)
  local watch = unit.oracle.watch(set.brokers, group, "paced", set.partitions)
  scope.defer(function()
    watch:close()
  end)
  wait.till("all paced records", 60000, function()
    local committed, total = watch:committed(1000) or {}, 0
    for _, offset in pairs(committed) do
      total = total + offset
    end
    return total >= expected, total
  end)
end

---@param set bench.Data
---@param rate integer records a second
---@param duration_s integer
---@return {p50: number, p99: number, p999: number, count: integer} milliseconds
local function measure(set, rate, duration_s)
  local folder, group = directory.new(), set.unique("latency")
  local environment = { BENCH_BROKERS = set.brokers, BENCH_TOPIC = "paced", BENCH_GROUP = group,
    BENCH_HANDLER = "latency", BENCH_OFFSET_RESET = "latest", BENCH_FOLDER = folder,
    BENCH_WORKERS_MIN = "2", BENCH_WORKERS_MAX = "2" }
  local run = lagoon.start({ "run", "--only", "bench", "--config", "bench/application/config.lua" },
    { env = environment })
  run:wait_for("consumer bench: assigned", 30000)
  local records = rate * (duration_s + 1) -- the first second is not counted
  set.paced = (set.paced or 0) + records
  data.load(set, "paced", records, tostring(rate))
  wait_committed(set, group, set.paced)
  run:stop(30000)
  local counts, total = read(folder)
  return { p50 = percentile(counts, total, 0.5), p99 = percentile(counts, total, 0.99),
    p999 = percentile(counts, total, 0.999), count = total }
end

---As measure, in a scope of its own.
---@param set bench.Data
---@param rate integer
---@param duration_s integer
function M.once(set, rate, duration_s)
  scope.open()
  local ok, measured = pcall(measure, set, rate, duration_s)
  scope.close()
  return ok and measured or error(measured, 0)
end

return M

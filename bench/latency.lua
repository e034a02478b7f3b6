-- From the moment a record is due to the end of its handler, at a steady rate. What is sent late
-- counts from when it was due, so a stall is not left out.

local data = require("bench.data")
local directory = require("spec.support.directory")
local scope = require("spec.support.scope")
local subjects = require("bench.subject")
local uv = require("luv")

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

---@param set bench.Data
---@param rate integer records a second
---@param duration_s integer
---@return {p50: number, p99: number, p999: number, count: integer} milliseconds
local function measure(set, rate, duration_s)
  local folder = directory.new()
  local subject = subjects.start(set, "paced", set.unique("latency"), { BENCH_HANDLER = "latency",
    BENCH_OFFSET_RESET = "latest", BENCH_FOLDER = folder, BENCH_WORKERS_MIN = 2,
    BENCH_WORKERS_MAX = 2 })
  subject.run:wait_for("consumer bench: assigned", 30000)
  local records = rate * (duration_s + 1) -- the first second is not counted
  set.paced = (set.paced or 0) + records
  data.load(set, "paced", records, tostring(rate))
  subject:wait_for(set.paced, 60000)
  subject:stop()
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

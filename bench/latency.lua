-- From the moment a record is due to the end of its handler, at a steady rate. What is sent late
-- counts from when it was due, so a stall is not left out.

local admin = require("spec.support.admin_client")
local data = require("bench.data")
local directory = require("spec.support.directory")
local exposition = require("spec.support.exposition")
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

-- The share of records that waited no longer in lagoon, from its histogram.
local function share_within(parsed, seconds)
  local name, labels = "lagoon_record_wait_seconds", { consumer = "bench" }
  local total = exposition.value(parsed, name .. "_count", labels)
  labels.le = seconds
  return exposition.value(parsed, name .. "_bucket", labels) / total
end

---@class bench.Latency
---@field p50 number milliseconds from due to handled, as the next two
---@field p99 number
---@field p999 number
---@field count integer records
---@field own table<string, number> the share of records that were read, waited and were settled
---                                 within so many seconds, without their handler

---@param set bench.Data
---@param rate integer records a second
---@param duration_s integer
---@return bench.Latency
local function measure(set, rate, duration_s)
  local folder = directory.new()
  local subject = subjects.start(set, "paced", set.unique("latency"), { BENCH_HANDLER = "latency",
    LAGOON_LISTEN = "127.0.0.1:0", BENCH_OFFSET_RESET = "latest", BENCH_FOLDER = folder,
    BENCH_WORKERS_MIN = 2, BENCH_WORKERS_MAX = 2 })
  local url = subject.run:wait_for('"admin: (http://[^,"]+)', 30000)
  subject.run:wait_for("consumer bench: assigned", 30000)
  local records = rate * (duration_s + 1) -- the first second is not counted
  set.paced = (set.paced or 0) + records
  data.load(set, "paced", records, tostring(rate))
  subject:wait_for(set.paced, 60000)
  local parsed = exposition.parse(admin.ask(url, "GET", "/metrics").body)
  subject:stop()
  local counts, total = read(folder)
  return { p50 = percentile(counts, total, 0.5), p99 = percentile(counts, total, 0.99),
    p999 = percentile(counts, total, 0.999), count = total,
    own = { ["0.0005"] = share_within(parsed, "0.0005"),
      ["0.001"] = share_within(parsed, "0.001") } }
end

---As measure, in a scope of its own.
---@param set bench.Data
---@param rate integer
---@param duration_s integer
---@return bench.Latency
function M.once(set, rate, duration_s)
  scope.open()
  local ok, measured = pcall(measure, set, rate, duration_s)
  scope.close()
  return ok and measured or error(measured, 0)
end

return M

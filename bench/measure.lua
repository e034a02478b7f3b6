-- One case, once: what it took, read from the kernel while the processes are still there.

local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")
local scope = require("spec.support.scope")
local threads = require("spec.support.threads")
local unit = require("unit")
local uv = require("luv")
local wait = require("spec.support.wait")

local M = {}

local DEADLINE_MS = 300000
-- The start of a process is not what is measured.
local WARM_SHARE = 0.1

---@class bench.Result
---@field rate number records a second
---@field cpu number microseconds of the processes a record
---@field switches number context switches a record
---@field rss integer bytes, the largest of a process, summed

local function seconds()
  return uv.hrtime() / 1e9
end

-- What all of them have used, over so many records.
local function result(processes, records, rate)
  local cpu, switches, rss = 0, 0, 0
  for _, one in ipairs(processes) do
    cpu = cpu + threads.cpu_seconds(one.pid)
    rss = rss + threads.peak_bytes(one.pid)
    for _, thread in ipairs(threads.named(one.pid, "")) do
      switches = switches + thread.switches
    end
  end
  return { rate = rate, cpu = cpu * 1e6 / records, switches = switches / records, rss = rss }
end

---@param first integer
---@param step integer
---@param partitions integer
local function list_partitions(first, step, partitions)
  local list = {}
  for partition = first, partitions - 1, step do
    table.insert(list, partition)
  end
  return table.concat(list, ",")
end

---@param set bench.Data
---@param case bench.Case
---@return bench.Result
local function measure_consumers(set, case)
  local processes = {}
  for i = 1, case.processes do
    table.insert(processes, process.start({ set.build .. "/bench/consumer", case.kind, set.brokers,
      case.topic or "orders", list_partitions(i - 1, case.processes, set.partitions),
      "bench/application/scripts/handlers/count.lua" }, { input = true }))
  end
  processes[1]:wait_for("^began$", DEADLINE_MS)
  local began = seconds()
  local records = 0
  for _, one in ipairs(processes) do
    records = records + math.tointeger(one:wait_for("^done (%d+)", DEADLINE_MS))
  end
  local measured = result(processes, records, records / (seconds() - began))
  for _, one in ipairs(processes) do
    one:close_input()
    one:wait_exit()
  end
  return measured
end

local function sum(offsets)
  local total = 0
  for _, offset in pairs(offsets or {}) do
    total = total + offset
  end
  return total
end

---@param set bench.Data
---@param case bench.Case
---@return bench.Result
local function measure_lagoon(set, case)
  local topic = case.share and "few" or case.topic or "orders"
  local records = case.share and set.few or set.records
  local group = set.unique("bench")
  local environment = { BENCH_BROKERS = set.brokers, BENCH_TOPIC = topic, BENCH_GROUP = group }
  for name, value in pairs(case.environment) do
    environment[name] = value
  end
  local watch = unit.oracle.watch(set.brokers, group, topic, set.partitions)
  scope.defer(function()
    watch:close()
  end)
  local run = lagoon.start({ "run", "--only", "bench", "--config", "bench/application/config.lua" },
    { env = environment })
  local warm_at, warm_count
  wait.till("all records", DEADLINE_MS, function()
    assert(run:is_running(), run:tail())
    local count = sum(watch:committed(1000))
    if not warm_at and count >= records * WARM_SHARE then
      warm_at, warm_count = seconds(), count
    end
    return count >= records, count
  end)
  local measured = result({ run }, records, (records - warm_count) / (seconds() - warm_at))
  run:stop(30000)
  return measured
end

---@param set bench.Data
---@param case bench.Case
---@return bench.Result
function M.once(set, case)
  scope.open()
  local measure = case.kind == "lagoon" and measure_lagoon or measure_consumers
  local ok, measured = pcall(measure, set, case)
  scope.close()
  if not ok then
    error(("%s: %s"):format(case.name, measured), 0)
  end
  return measured
end

return M

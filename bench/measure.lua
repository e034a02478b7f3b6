-- One case, once: what it took, read from the kernel while the processes are still there.

local process = require("spec.support.process")
local scope = require("spec.support.scope")
local subjects = require("bench.subject")
local threads = require("spec.support.threads")
local uv = require("luv")

local M = {}

local DEADLINE_MS = 300000
-- The start of a process is not what is measured.
local WARM_SHARE = 0.1

---@class bench.Result
---@field rate number records a second
---@field cpu number microseconds of the processes a record
---@field switches number context switches a record
---@field rss integer bytes, the largest of a process, summed

---@class bench.Mark
---@field at number seconds
---@field records integer

local function mark(records)
  return { at = uv.hrtime() / 1e9, records = records }
end

-- The rate between two marks. What all of them have used is that of their whole lives: at a mark
-- on the way they have read records ahead, which would not be counted.
local function result(processes, from, to)
  local cpu, switches, rss = 0, 0, 0
  for _, one in ipairs(processes) do
    cpu = cpu + threads.cpu_seconds(one.pid)
    rss = rss + threads.peak_bytes(one.pid)
    for _, thread in ipairs(threads.named(one.pid, "")) do
      switches = switches + thread.switches
    end
  end
  return { rate = (to.records - from.records) / (to.at - from.at), cpu = cpu * 1e6 / to.records,
    switches = switches / to.records, rss = rss }
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
  local began = mark(0)
  local records = 0
  for _, one in ipairs(processes) do
    records = records + math.tointeger(one:wait_for("^done (%d+)", DEADLINE_MS))
  end
  local measured = result(processes, began, mark(records))
  for _, one in ipairs(processes) do
    one:close_input()
    one:wait_exit()
  end
  return measured
end

---@param set bench.Data
---@param case bench.Case
---@return bench.Result
local function measure_lagoon(set, case)
  local topic = case.share and "few" or case.topic or "orders"
  local records = case.share and set.few or set.records
  local subject = subjects.start(set, topic, set.unique("bench"), case.environment)
  local warm
  subject:wait_for(records, DEADLINE_MS, function(count)
    warm = warm or count >= records * WARM_SHARE and mark(count)
  end)
  local measured = result({ subject.run }, warm, mark(records))
  subject:stop()
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

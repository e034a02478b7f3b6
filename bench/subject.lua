-- lagoon as it is measured: started with the benchmark's application, seen by what it commits.

local lagoon = require("spec.support.lagoon")
local scope = require("spec.support.scope")
local unit = require("unit")
local wait = require("spec.support.wait")

local M = {}

---@class bench.Subject
---@field run table the process
---@field watch table of its group's committed offsets
local Subject = {}
Subject.__index = Subject

---Starts it; the end of the scope ends it.
---@param set bench.Data
---@param topic string
---@param group string
---@param environment table<string, any>? what bench/application/config.lua reads besides
---@return bench.Subject
function M.start(set, topic, group, environment)
  local variables = { BENCH_BROKERS = set.brokers, BENCH_TOPIC = topic, BENCH_GROUP = group }
  for name, value in pairs(environment or {}) do
    variables[name] = tostring(value)
  end
  local watch = unit.oracle.watch(set.brokers, group, topic, set.partitions)
  scope.defer(function()
    watch:close()
  end)
  local run = lagoon.start({ "run", "--only", "bench", "--config", "bench/application/config.lua" },
    { env = variables })
  return setmetatable({ run = run, watch = watch }, Subject)
end

---@return integer records whose handling is committed
function Subject:count()
  local total = 0
  for _, offset in pairs(self.watch:committed(1000) or {}) do
    total = total + offset
  end
  return total
end

---Waits until so many are committed.
---@param records integer
---@param timeout_ms integer
---@param look? fun(count: integer) called with each count on the way
function Subject:wait_for(records, timeout_ms, look)
  wait.till(("%d records"):format(records), timeout_ms, function()
    assert(self.run:is_running(), self.run:tail())
    local count = self:count()
    if look then
      look(count)
    end
    return count >= records, count
  end)
end

function Subject:stop()
  self.run:stop(30000)
end

return M

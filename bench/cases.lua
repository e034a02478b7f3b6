-- What is measured, in the order of the table.

local M = {}

---@class bench.Case
---@field name string
---@field kind "raw"|"bare"|"lagoon"
---@field processes integer? of raw and bare; they share the partitions
---@field environment table<string, any>? what bench/application/config.lua reads
---@field share number? of the data set, when all of it would take too long
---@field topic string? "orders" unless it is said

---@type bench.Case[]
M.list = {
  { name = "raw consumer", kind = "raw", processes = 1 },
  { name = "bare Lua loop", kind = "bare", processes = 1 },
  { name = "two bare Lua loops", kind = "bare", processes = 2 },
}

local function lagoon(name, environment, share, topic)
  local variables = {}
  for key, value in pairs(environment) do
    variables["BENCH_" .. key] = tostring(value)
  end
  table.insert(M.list, { name = name, kind = "lagoon", environment = variables, share = share,
    topic = topic })
end

for _, distribution in ipairs({ "key", "partition", "free_worker" }) do
  for _, workers in ipairs({ 1, 2, 4 }) do
    lagoon(("lagoon, %s, %d worker%s"):format(distribution, workers, workers > 1 and "s" or ""),
      { DISTRIBUTION = distribution, WORKERS_MIN = workers, WORKERS_MAX = workers })
  end
end
for _, distribution in ipairs({ "key", "free_worker" }) do
  lagoon(("lagoon, %s, 10..100 workers"):format(distribution),
    { DISTRIBUTION = distribution, WORKERS_MIN = 10, WORKERS_MAX = 100 })
end
lagoon("lagoon, publishes one", { WORKERS_MIN = 2, WORKERS_MAX = 2, HANDLER = "derive" }, 0.25)
lagoon("lagoon, waits 1 ms",
  { WORKERS_MIN = 100, WORKERS_MAX = 100, HANDLER = "wait", WAIT_MS = 1 }, 0.25)
lagoon("lagoon, waits 10 ms",
  { WORKERS_MIN = 100, WORKERS_MAX = 100, HANDLER = "wait", WAIT_MS = 10 }, 0.25)
lagoon("lagoon, blocks 1 ms",
  { WORKERS_MIN = 100, WORKERS_MAX = 100, HANDLER = "block", WAIT_MS = 1 }, 0.25)

for _, case in ipairs({
  { name = "raw consumer, with a header", kind = "raw", processes = 1 },
  { name = "two bare Lua loops, with a header", kind = "bare", processes = 2 },
}) do
  case.topic = "headers"
  table.insert(M.list, case)
end
lagoon("lagoon, key, 2 workers, with a header",
  { WORKERS_MIN = 2, WORKERS_MAX = 2 }, nil, "headers")

---Those whose names contain one of the patterns, separated by commas; all without.
---@param patterns string?
---@return bench.Case[]
function M.choose(patterns)
  local chosen = {}
  for _, case in ipairs(M.list) do
    local fits = not patterns
    for pattern in (patterns or ""):gmatch("[^,]+") do
      fits = fits or case.name:find(pattern, 1, true) ~= nil
    end
    if fits then
      table.insert(chosen, case)
    end
  end
  return chosen
end

return M

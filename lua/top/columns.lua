-- The table of consumers: as many columns as there is room for, those first that matter most.

local words = require("lagoon.top.words")

local M = {}

-- What the name gets before any other column: more where there is more.
local LEAST_NAME, NAME_SHARE = 12, 5

local function number(value)
  return value and words.number(value) or "-"
end

local function catch_up(seconds)
  if not seconds then
    return "-"
  end
  return seconds == math.huge and "never" or words.duration(seconds)
end

---@param us number?
local function latency(us)
  if not us then
    return "-"
  end
  return us == math.huge and ">2m" or "<" .. words.latency(us)
end

local function state(consumer)
  local status = consumer.status
  return consumer.trouble or status.is_paused and "paused"
    or status.is_rebalancing and "rebalance" or status.state
end

local function workers(consumer)
  local of = consumer.status.workers
  local wanted = of.wanted ~= of.running and ">" .. of.wanted or ""
  return ("%d%s/%d"):format(of.running, wanted, of.max)
end

---@class lagoon.top.Column
---@field head string
---@field width integer negative: what stands in it is a number
---@field rank integer the smaller, the sooner there is room for it
---@field text fun(consumer: lagoon.top.Consumer): string

---@type lagoon.top.Column[]
local COLUMNS = {
  { head = "STATE", width = 9, rank = 1, text = state },
  { head = "LAG", width = -5, rank = 2, text = function(one) return number(one.lag) end },
  { head = "LAG/s", width = -6, rank = 4,
    text = function(one) return one.trend and words.signed(one.trend) or "-" end },
  { head = "CATCH-UP", width = -8, rank = 8,
    text = function(one) return catch_up(one.catch_up_s) end },
  { head = "READ/s", width = -6, rank = 9, text = function(one) return number(one.read) end },
  { head = "HANDLED/s", width = -9, rank = 3, text = function(one) return number(one.handled) end },
  { head = "FAILED/s", width = -8, rank = 6, text = function(one) return number(one.failed) end },
  { head = "WORKERS", width = -9, rank = 5, text = workers },
  { head = "RUNNING", width = -7, rank = 10,
    text = function(one) return number(one.status.running) end },
  { head = "P50", width = -6, rank = 11, text = function(one) return latency(one.p50_us) end },
  { head = "P99", width = -6, rank = 7, text = function(one) return latency(one.p99_us) end },
  { head = "RETRIED", width = -7, rank = 13,
    text = function(one) return number(one.status.counts.retried) end },
  { head = "DEAD", width = -5, rank = 12,
    text = function(one) return number(one.status.counts.dead_letters) end },
}

local function by_rank()
  local ranked = table.move(COLUMNS, 1, #COLUMNS, 1, {})
  table.sort(ranked, function(a, b) return a.rank < b.rank end)
  return ranked
end

---@param consumers lagoon.top.Consumer[]
---@param width integer
---@return {columns: lagoon.top.Column[], name: integer} # in the order in which they stand
function M.choose(consumers, width)
  local longest, has = #"CONSUMER", {}
  for _, consumer in ipairs(consumers) do
    longest = math.max(longest, words.width(consumer.status.name))
  end
  local least = math.min(longest, math.max(LEAST_NAME, width // NAME_SHARE))
  local room = width - 2 - least
  for _, column in ipairs(by_rank()) do
    local needed = math.abs(column.width) + 1
    if needed > room then
      break
    end
    has[column], room = true, room - needed
  end
  local chosen = {}
  for _, column in ipairs(COLUMNS) do
    chosen[#chosen + 1] = has[column] and column or nil
  end
  return { columns = chosen, name = math.min(longest, least + math.max(room, 0)) }
end

---@param chosen table as choose gives it
---@return string
function M.head(chosen)
  local cells = { "  " .. words.fit("CONSUMER", chosen.name) }
  for _, column in ipairs(chosen.columns) do
    cells[#cells + 1] = words.fit(column.head, column.width)
  end
  return table.concat(cells, " ")
end

---@param chosen table as choose gives it
---@param consumer lagoon.top.Consumer
---@param is_chosen boolean
---@return string
function M.row(chosen, consumer, is_chosen)
  local name = words.fit(words.clean(consumer.status.name), chosen.name)
  local cells = { (is_chosen and "> " or "  ") .. name }
  for _, column in ipairs(chosen.columns) do
    cells[#cells + 1] = words.fit(column.text(consumer), column.width)
  end
  return table.concat(cells, " ")
end

M.latency, M.catch_up, M.number = latency, catch_up, number

return M

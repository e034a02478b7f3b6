-- What lies between two looks at a running lagoon: what happened a second, where its lag goes.
-- Decides nothing about how that is shown.

local partitions_of = require("lagoon.top.partitions").compare

local M = {}

-- A commit comes once a second: so long a lag is the time between two of them, not a backlog.
local COMMIT_S = 2

---@class lagoon.top.Consumer
---@field status table the answer's
---@field trouble string? the worst of it, in a word or two
---@field is_held boolean it does nothing because somebody or Kafka wants it so
---@field read number? a second, as the next three
---@field handled number?
---@field failed number? what went wrong, of whatever kind
---@field lag integer? of the partitions whose lag is known
---@field trend number? what the lag gains a second
---@field catch_up_s number? until there is none; math.huge: never, as it goes
---@field p50_us number? half of the calls of handlers took no longer; math.huge: longer than can be
--- told
---@field p99_us number?
---@field partitions lagoon.top.Partition[] in trouble first, then by lag

local function by_name(status)
  local found = {}
  for _, consumer in ipairs(status.consumers) do
    found[consumer.name] = consumer
  end
  return found
end

---@param before table? counts
---@param now table
---@param seconds number
---@param names string[]
---@return number? # a second; nil where there is nothing to compare with
local function rate(before, now, seconds, names)
  if not before or seconds <= 0 then
    return nil
  end
  local sum = 0
  for _, name in ipairs(names) do
    sum = sum + now[name] - before[name]
  end
  -- A consumer that joined anew counts from 0.
  return sum >= 0 and sum / seconds or nil
end

---The upper bound of the bucket in which the share of the calls between two looks ends.
local function quantile(before, now, share)
  local counts, total = {}, 0
  for i, count in ipairs(now.counts) do
    counts[i] = count - (before and before.counts[i] or 0)
    total = total + counts[i]
  end
  local seen = 0
  for i, count in ipairs(counts) do
    seen = seen + count
    if total > 0 and seen >= share * total then
      return now.bounds_us[i] or math.huge
    end
  end
end

---The sum of what is known; nil where nothing is.
local function sum(list, value_of)
  local total
  for _, item in ipairs(list) do
    local value = value_of(item)
    total = value and (total or 0) + value or total
  end
  return total
end

local function consumer_trouble(now, partitions)
  local counts = {}
  for _, partition in ipairs(partitions) do
    local trouble = partition.trouble
    if trouble then
      counts[trouble] = (counts[trouble] or 0) + 1
    end
  end
  if now.workers.stuck > 0 then
    return now.workers.stuck .. " stuck"
  elseif counts.stopped then
    return counts.stopped .. " stopped"
  elseif now.breaker.is_open then
    return "breaker"
  end
  return counts.stalled and counts.stalled .. " stalled" or nil
end

---How much of whatever kind went wrong.
local function error_count(status)
  local count = 0
  for _, kind in pairs(status.errors) do
    count = count + kind.count
  end
  return count
end

local function catch_up(lag, trend, handled)
  if not lag or not trend or lag <= COMMIT_S * (handled or 0) then
    return nil
  end
  return lag > 0 and (trend < 0 and lag / -trend or math.huge) or nil
end

---@return lagoon.top.Consumer
local function compare(recent, old, now, seconds)
  local partitions = partitions_of(old, now, seconds.old)
  local counts, before = now.counts, recent and recent.counts
  local handled = rate(before, counts, seconds.recent, { "handled" })
  local lag = sum(partitions, function(one) return one.status.lag end)
  local trend = sum(partitions, function(one) return one.trend end)
  local durations = recent and recent.handler_duration
  return {
    status = now,
    trouble = consumer_trouble(now, partitions),
    is_held = now.is_paused or now.is_rebalancing or now.state ~= "running",
    read = rate(before, counts, seconds.recent, { "received" }),
    handled = handled,
    failed = recent and rate({ error_count(recent) }, { error_count(now) }, seconds.recent, { 1 }),
    lag = lag,
    trend = trend,
    catch_up_s = catch_up(lag, trend, handled),
    p50_us = durations and quantile(durations, now.handler_duration, 0.5),
    p99_us = durations and quantile(durations, now.handler_duration, 0.99),
    partitions = partitions,
  }
end

---@param looks table[] answers of one process to `status`, the oldest first: rates are those since
--- the one before the last that `recent_ms` name, the lag's trend since the first
---@param recent_ms integer
---@return {consumers: lagoon.top.Consumer[], producers: table[], cpu: number?}
function M.of(looks, recent_ms)
  local now, old = looks[#looks], looks[1]
  local recent = old
  for _, look in ipairs(looks) do
    recent = now.uptime_ms - recent.uptime_ms > recent_ms and look ~= now and look or recent
  end
  local seconds = { recent = (now.uptime_ms - recent.uptime_ms) / 1000,
    old = (now.uptime_ms - old.uptime_ms) / 1000 }
  local of_recent, of_old = by_name(recent), by_name(old)
  local consumers, producers, before = {}, {}, {}
  for i, consumer in ipairs(now.consumers) do
    consumers[i] = compare(of_recent[consumer.name], of_old[consumer.name], consumer, seconds)
  end
  for _, producer in ipairs(recent.producers or {}) do
    before[producer.name] = producer
  end
  for i, producer in ipairs(now.producers or {}) do
    producers[i] = { status = producer,
      published = rate(before[producer.name], producer, seconds.recent, { "published" }),
      acknowledged = rate(before[producer.name], producer, seconds.recent, { "acknowledged" }),
      refused = rate(before[producer.name], producer, seconds.recent, { "refused" }) }
  end
  local cpu_ms = now.usage.cpu_ms - recent.usage.cpu_ms
  return { consumers = consumers, producers = producers,
    cpu = seconds.recent > 0 and cpu_ms / 1000 / seconds.recent or nil }
end

return M

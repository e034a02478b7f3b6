-- The parts of what `lagoon top` shows, each a list of lines.

local columns = require("lagoon.top.columns")
local line = require("lagoon.top.line")
local words = require("lagoon.top.words")

local M = {}

---The items one behind the other, in as many lines as they need.
local function flow(items, width)
  local lines, text = {}, ""
  for _, item in ipairs(items) do
    local longer = text == "" and item or text .. "  " .. item
    if text ~= "" and words.width(longer) > width then
      lines[#lines + 1] = line(text)
      longer = "  " .. item
    end
    text = longer
  end
  lines[#lines + 1] = line(text)
  return lines
end

local function add(lines, more)
  return table.move(more, 1, #more, #lines + 1, lines)
end

---@param status table
---@param figures table
---@param width integer
---@return lagoon.top.Line[]
function M.header(status, figures, width)
  local lines = flow({ "lagoon " .. status.config, "instance " .. status.instance,
    "process " .. status.process, "up " .. words.duration(status.uptime_ms / 1000),
    status.state, "generation " .. status.generation .. (status.is_reloading and ", reloads" or ""),
    "cpu " .. (figures.cpu and ("%.0f%%"):format(figures.cpu * 100) or "-"),
    "memory " .. words.size(status.usage.resident_bytes) }, width)
  if status.refusal then
    lines[#lines + 1] = line("the files as they are would not start: "
      .. status.refusal:match("[^\n]*"), "bad")
  end
  return lines
end

---@param consumers lagoon.top.Consumer[] in the order in which they are shown
---@param chosen_index integer
---@param width integer
---@param room integer lines
---@return lagoon.top.Line[] # the chosen one is among them
function M.consumers(consumers, chosen_index, width, room)
  if #consumers == 0 then
    return { line("no consumer runs in this process", "dim") }
  end
  local chosen = columns.choose(consumers, width)
  local lines = { line(columns.head(chosen), "head") }
  local first = math.max(1, math.min(chosen_index - room // 2, #consumers - room + 2))
  for i = first, math.min(#consumers, first + room - 2) do
    local one = consumers[i]
    local style = one.trouble and "bad" or one.is_held and "warn" or i == chosen_index and "bold"
    lines[#lines + 1] = line(columns.row(chosen, one, i == chosen_index), style or nil)
  end
  return lines
end

local function show_workers(workers)
  local text = ("%d of %d workers, %d wanted"):format(workers.running, workers.max, workers.wanted)
  if workers.retiring > 0 then
    text = ("%s, %d leaving"):format(text, workers.retiring)
  end
  if workers.overridden_for_ms then
    text = ("%s, as asked for, for %s"):format(text,
      words.duration(workers.overridden_for_ms / 1000))
  end
  return text
end

local function totals(consumer)
  local counts, items = consumer.status.counts, { "in all:" }
  for _, item in ipairs({ { "handled", counts.handled }, { "retried", counts.retried },
    { "dead letters", counts.dead_letters }, { "skipped", counts.skipped },
    { "stopped", counts.failed } }) do
    items[#items + 1] = item[1] .. " " .. item[2]
  end
  return items
end

---@param errors table<string, {count: integer, at: integer, last: string}> by kind
local function newest_error(errors)
  local newest
  for kind, one in pairs(errors) do
    if not newest or one.at > errors[newest].at then
      newest = kind
    end
  end
  return newest, errors[newest]
end

---What is known of one consumer, before its partitions.
---@param consumer lagoon.top.Consumer
---@param now_ms integer
---@param width integer
---@return lagoon.top.Line[]
function M.consumer(consumer, now_ms, width)
  local status = consumer.status
  local lines = flow({ status.name .. ":", "group " .. status.group, show_workers(status.workers),
    status.running .. " running", "window " .. status.window.records .. " of "
    .. status.window.max_records }, width)
  local change = status.workers.changes[1]
  if change then
    add(lines, flow({ ("  %d -> %d workers %s ago: %s"):format(change.from, change.to,
      words.duration(math.max(0, now_ms - change.at) / 1000), change.reason) }, width))
  end
  add(lines, flow({ "  read " .. columns.number(consumer.read) .. "/s",
    "handled " .. columns.number(consumer.handled) .. "/s",
    "failed " .. columns.number(consumer.failed) .. "/s",
    "calls p50 " .. columns.latency(consumer.p50_us) .. ", p99 "
    .. columns.latency(consumer.p99_us),
    consumer.catch_up_s and "caught up: " .. columns.catch_up(consumer.catch_up_s) }, width))
  local items = totals(consumer)
  items[1] = "  " .. items[1]
  add(lines, flow(items, width))
  local kind, newest = newest_error(status.errors)
  if kind then
    lines[#lines + 1] = line(("  %s ago, %s: %s"):format(
      words.duration(math.max(0, now_ms - newest.at) / 1000), kind, newest.last), "warn")
  end
  if status.breaker.is_open then
    lines[#lines + 1] = line(("  the breaker is open: %d records in a row were given up"):format(
      status.breaker.given_up_in_a_row), "bad")
  end
  return lines
end

---@param producers table[]
---@param room integer lines
---@return lagoon.top.Line[]
function M.producers(producers, room)
  local lines = { line(("  %s %12s %14s %9s %10s"):format(words.fit("PRODUCER", 20), "PUBLISHED/s",
    "ACKNOWLEDGED/s", "REFUSED", "ON THE WAY"), "head") }
  for _, one in ipairs(producers) do
    if #lines == room then
      break
    end
    local status = one.status
    lines[#lines + 1] = line(("  %s %12s %14s %9s %10s"):format(
      words.fit(words.clean(status.name), 20), columns.number(one.published),
      columns.number(one.acknowledged), words.number(status.refused),
      words.number(status.outstanding)), (one.refused or 0) > 0 and "bad" or nil)
  end
  return lines
end

return M

-- `lagoon status` for a person, in 80 columns. Argument: the answer. Results: the text, the exit
-- code.

local answer = ...
local lines = {}

local function say(format, ...)
  lines[#lines + 1] = format:format(...):gsub("%c", "?"):gsub("%s+$", "")
end

---@param ms integer
---@return string 3h 20m
local function duration(ms)
  local seconds = ms // 1000
  local units = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } }
  for i, unit in ipairs(units) do
    if seconds >= unit[1] then
      local rest = seconds % unit[1]
      local next_unit = units[i + 1]
      local text = seconds // unit[1] .. unit[2]
      return next_unit and ("%s %d%s"):format(text, rest // next_unit[1], next_unit[2]) or text
    end
  end
  return "0s"
end

local function count(number, word)
  return ("%d %s%s"):format(number, word, number == 1 and "" or "s")
end

local function size(bytes)
  for i, unit in ipairs({ "GiB", "MiB", "KiB" }) do
    local amount = bytes / 1024 ^ (4 - i)
    if amount >= 1 then
      return ("%.4g %s"):format(amount, unit)
    end
  end
  return count(bytes, "byte")
end

---The name in `width` columns: the middle of a longer one is left out.
local function fit(name, width)
  if #name <= width then
    return name
  end
  local half = (width - 2) // 2
  return name:sub(1, half) .. ".." .. name:sub(-(width - 2 - half))
end

local function show_workers(workers)
  local text = ("%d of %d workers"):format(workers.running, workers.max)
  if workers.wanted ~= workers.running then
    text = ("%s, %d wanted"):format(text, workers.wanted)
  end
  if workers.overridden_for_ms then
    text = ("%s, as asked for, for %s"):format(text, duration(workers.overridden_for_ms))
  end
  if workers.stuck > 0 then
    text = ("%s, %d stuck"):format(text, workers.stuck)
  end
  return text
end

local function show_consumer(consumer)
  local state = consumer.is_paused and "paused" or consumer.state
  state = consumer.is_rebalancing and state .. ", rebalancing" or state
  say("")
  say("consumer %s: %s, group %s", consumer.name, state, consumer.group)
  say("  %s; %s", show_workers(consumer.workers), count(consumer.running, "handler") .. " running")
  if consumer.workers.states_replaced > 0 then
    local last = consumer.workers.last_replaced
    say("  Lua states replaced: %d, the last of worker %d, because",
      consumer.workers.states_replaced, last.worker)
    say("    %s", last.reason)
  end
  local counts = consumer.counts
  say("  handled %d, retried %d, skipped %d, dead letters %d, failed %d", counts.handled,
    counts.retried, counts.skipped, counts.dead_letters, counts.failed)
  if consumer.breaker.is_open then
    say("  the breaker is open: %s in a row were given up",
      count(consumer.breaker.given_up_in_a_row, "record"))
  end
  if #consumer.partitions == 0 then
    say("  no partition is assigned to it")
    return
  end
  say("  %-26s %4s %12s %12s %9s %7s", "topic", "part", "committed", "end", "lag", "in work")
  for _, partition in ipairs(consumer.partitions) do
    say("  %-26s %4d %12s %12s %9s %7d", fit(partition.topic, 26), partition.partition,
      partition.committed or "-", partition["end"] or "-", partition.lag or "-",
      partition.unsettled)
    local stopped = partition.stopped
    if stopped then
      say("    stopped%s: %s", stopped.offset and " at offset " .. stopped.offset or "",
        stopped.reason)
      say("    %s", stopped.is_resuming and "goes on when the handlers that have begun have ended"
        or stopped.resume or "stop its group and commit an offset by Kafka's tools")
    end
  end
end

local function show_producer(producer)
  if producer.published > 0 then
    say("producer %s: published %d, acknowledged %d, refused %d, on their way %d", producer.name,
      producer.published, producer.acknowledged, producer.refused, producer.outstanding)
  end
end

-- Nothing where no script uses it.
local function show_shared(shared)
  if shared.keys + shared.evicted + shared.refused == 0 then
    return
  end
  local text = ("lagoon.shared: %s, %s of %s"):format(count(shared.keys, "key"),
    size(shared.bytes), size(shared.limit_bytes))
  if shared.evicted > 0 then
    text = ("%s, %d evicted"):format(text, shared.evicted)
  end
  if shared.refused > 0 then
    text = ("%s, %s refused for lack of room"):format(text, count(shared.refused, "write"))
  end
  say("%s", text)
end

say("lagoon %s, instance %s, process %d, up %s: %s", fit(answer.config, 40), answer.instance,
  answer.process, duration(answer.uptime_ms), answer.state)
say("generation %d, hash %s", answer.generation, answer.hash)
if answer.refusal then
  say("the files as they are would not start: %s", answer.refusal:match("[^\n]*"))
end
show_shared(answer.shared)
for _, consumer in ipairs(answer.consumers) do
  show_consumer(consumer)
end
if #(answer.producers or {}) > 0 then
  say("")
end
for _, producer in ipairs(answer.producers or {}) do
  show_producer(producer)
end
return table.concat(lines, "\n") .. "\n", 0

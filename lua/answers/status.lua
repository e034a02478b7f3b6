-- `lagoon status` for a person, in 80 columns. Argument: the answer. Results: the text, the exit
-- code.

local words = require("lagoon.words")

local answer = ...
local lines = {}

-- Of one consumer; --json has all.
local SHOWN_PARTITIONS = 20

local function say(format, ...)
  lines[#lines + 1] = format:format(...):gsub("%c", "?"):gsub("%s+$", "")
end

---@param at integer milliseconds since 1970
local function ago(at)
  return words.duration(math.max(0, answer.now - at))
end

local function show_workers(workers)
  local text = ("%d of %d workers"):format(workers.running, workers.max)
  if workers.wanted ~= workers.running then
    text = ("%s, %d wanted"):format(text, workers.wanted)
  end
  if workers.overridden_for_ms then
    text = ("%s, as asked for, for %s"):format(text, words.duration(workers.overridden_for_ms))
  end
  if workers.stuck > 0 then
    text = ("%s, %d stuck"):format(text, workers.stuck)
  end
  return text
end

-- The last scaling, and what became of Lua states.
local function show_changes(workers)
  local change = workers.changes[1]
  if change then
    say("%s", words.cut(("  %d -> %d workers %s ago: %s"):format(change.from, change.to,
      ago(change.at), change.reason), 80))
  end
  if workers.states_replaced > 0 then
    local last = workers.last_replaced
    say("  Lua states replaced: %d, the last of worker %d, because", workers.states_replaced,
      last.worker)
    say("    %s", last.reason)
  end
end

-- How many of each kind, and the last one's words.
local function show_errors(errors)
  local kinds, counts, last = {}, {}, nil
  for kind, found in pairs(errors) do
    table.insert(kinds, kind)
    last = (not last or found.at > last.at) and found or last
  end
  table.sort(kinds)
  for _, kind in ipairs(kinds) do
    table.insert(counts, kind .. " " .. errors[kind].count)
  end
  if last then
    say("  errors: %s", table.concat(counts, ", "))
    say("%s", words.cut(("    %s ago: %s"):format(ago(last.at), last.last), 80))
  end
end

-- What keeps a partition where it is, and what to do.
local function show_trouble(partition)
  local stopped, stalled = partition.stopped, partition.stalled
  if stopped then
    say("    stopped%s: %s", stopped.offset and " at offset " .. stopped.offset or "",
      stopped.reason)
    say("    %s", stopped.is_resuming and "goes on when the handlers that have begun have ended"
      or stopped.resume or "stop its group and commit an offset by Kafka's tools")
  elseif stalled then
    say("    stands still for %s at offset %d%s:", words.duration(stalled.for_ms), stalled.offset,
      stalled.handler and " (" .. words.fit(stalled.handler, 30) .. ")" or "")
    for line in words.wrapped(stalled.reason, 74) do
      say("      %s", line)
    end
  end
end

-- Those with trouble first; of many, those that are far behind.
local function in_order(partitions)
  local ranked = {}
  for i, partition in ipairs(partitions) do
    local rank = partition.stopped and 0 or partition.is_stalled and 1 or 2
    local lag = #partitions > SHOWN_PARTITIONS and -(partition.lag or 0) or 0
    ranked[i] = { rank, lag, i, partition }
  end
  table.sort(ranked, function(one, other)
    for i = 1, 3 do
      if one[i] ~= other[i] then
        return one[i] < other[i]
      end
    end
    return false
  end)
  return ranked
end

local function show_partitions(partitions)
  if #partitions == 0 then
    say("  no partition is assigned to it")
    return
  end
  say("  %-20s %4s %12s %12s %9s %7s %7s", "topic", "part", "committed", "end", "lag", "in work",
    "oldest")
  for i, ranked in ipairs(in_order(partitions)) do
    local partition = ranked[4]
    if i > SHOWN_PARTITIONS then
      say("  and %s more: lagoon status --json has them all",
        words.count(#partitions - SHOWN_PARTITIONS, "partition"))
      return
    end
    say("  %-20s %4d %12s %12s %9s %7d %7s", words.fit(partition.topic, 20), partition.partition,
      partition.committed or "-", partition["end"] or "-", partition.lag or "-",
      partition.unsettled, partition.oldest and words.short(partition.oldest.age_ms) or "")
    show_trouble(partition)
  end
end

local function show_consumer(consumer)
  local state = consumer.is_paused and "paused" or consumer.state
  state = consumer.is_rebalancing and state .. ", rebalancing" or state
  say("")
  say("consumer %s: %s, group %s", consumer.name, state, consumer.group)
  if consumer.breaker.is_open then
    say("  the breaker is open: %s in a row were given up",
      words.count(consumer.breaker.given_up_in_a_row, "record"))
  end
  say("  %s; %s running", show_workers(consumer.workers),
    words.count(consumer.running, "handler"))
  show_changes(consumer.workers)
  local counts = consumer.counts
  say("  handled %d, retried %d, skipped %d, dead letters %d, failed %d", counts.handled,
    counts.retried, counts.skipped, counts.dead_letters, counts.failed)
  show_errors(consumer.errors)
  show_partitions(consumer.partitions)
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
  local text = ("lagoon.shared: %s, %s of %s"):format(words.count(shared.keys, "key"),
    words.size(shared.bytes), words.size(shared.limit_bytes))
  if shared.evicted > 0 then
    text = ("%s, %d evicted"):format(text, shared.evicted)
  end
  if shared.refused > 0 then
    text = ("%s, %s refused for lack of room"):format(text, words.count(shared.refused, "write"))
  end
  say("%s", text)
end

say("lagoon %s, instance %s, process %d, up %s: %s", words.fit(answer.config, 40), answer.instance,
  answer.process, words.duration(answer.uptime_ms), answer.state)
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

-- What has to hold between the keys of a config, beyond each key's own type.

local clusters = require("lagoon.config.clusters")
local events = require("lagoon.config.events")
local failures = require("lagoon.config.failures")

local M = {}

---@param count integer
---@return table # what `workers = 4` is short for
function M.fixed_workers(count)
  return { min = count, max = count }
end

---Without `max` there are as many workers as CPUs, but never fewer than `min`.
function M.workers(workers, given, place)
  local min = workers.min or 1
  if given.max == nil then
    workers.max = math.max(min, place.natives.cpus)
  elseif workers.max and workers.max < min then
    place:child("max"):problem(("must be at least min, which is %d"):format(min), workers.max)
  end
end

---@return table? # `admin = true` is a table without keys
function M.no_admin(is_on)
  return is_on and {} or nil
end

function M.not_empty(_, given, place)
  if next(given) == nil then
    place:problem("must not be empty")
  end
end

function M.distinct(list, _, place)
  local seen = {}
  for i, value in ipairs(list) do
    if seen[value] then
      place:child(i):problem(place.report:show(value) .. " is listed already")
    end
    seen[value] = true
  end
end

---Without key_field no event lacks it, so that "error" would never be one.
function M.producer(producer, given, place)
  events.producer(producer, given, place)
  local is_without = given.key_field == nil and not place.suspects.key_field
  if producer.key_missing == "error" and is_without then
    place:child("key_missing"):problem("needs key_field, which is what may be missing")
  end
end

local function check_topics(given, place)
  local has_one, has_several = given.topic ~= nil, given.topics ~= nil
  local is_misspelt = place.suspects.topic or place.suspects.topics
  if has_one and has_several then
    place:child("topics"):problem("topic is given too, keep one of them")
  elseif not has_one and not has_several and not is_misspelt then
    place:problem("needs topic or topics")
  end
end

-- No pattern matches dead letters, so nobody may expect it of one.
local function check_patterns(consumer, given, place)
  local has_pattern = false
  local topics = given.topics ~= nil and place:child("topics") or nil
  for i, topic in ipairs(consumer.topics) do
    local is_pattern = topic:sub(1, 1) == "^"
    has_pattern = has_pattern or is_pattern
    if is_pattern and topic:find("[.]?dead%-letter%$?$") then
      (topics and topics:child(i) or place:child("topic")):problem(
        "no pattern matches dead letters, name their topics", topic)
    end
  end
  for i, topic in ipairs(has_pattern and consumer.topics or {}) do
    if topics and topic:find("^[^^].*%.dead%-letter$") then
      topics:child(i):problem("the pattern beside it hides dead letters, read them by a consumer "
        .. "of their own", topic)
    end
  end
end

local function check_window(consumer, given, place)
  local window_bytes = consumer.window and consumer.window.bytes
  if not window_bytes or not consumer.max_record or window_bytes >= consumer.max_record then
    return
  elseif given.max_record ~= nil then
    place:child("max_record"):problem(
      ("must be at most window.bytes, which is %d"):format(window_bytes), given.max_record)
  else
    place:child("window"):child("bytes"):problem(
      ("must be at least max_record, which is %d"):format(consumer.max_record),
      given.window.bytes)
  end
end

-- Twice what a handler may take: what it does then is nothing that ends by itself.
local STALL_AFTER_MS = 60000

local function settle_stalls(consumer, given)
  if given.stall_after == nil then
    local timeout_ms = consumer.handler_timeout or 0
    consumer.stall_after = math.max(STALL_AFTER_MS, 2 * timeout_ms)
  end
end

function M.consumer(consumer, given, place)
  check_topics(given, place)
  check_window(consumer, given, place)
  settle_stalls(consumer, given)
  events.consumer(consumer, given, place)
  consumer.topics = consumer.topics or { consumer.topic }
  failures.check(consumer, given, place)
  check_patterns(consumer, given, place)
end

-- Two members of one group in one process would share out the partitions between unlike handlers.
local function distinct_groups(config, place)
  local first_of = {}
  for _, consumer in ipairs(config.consumers or {}) do
    local group = consumer.enabled and consumer.group and consumer.cluster
      and consumer.cluster .. "\0" .. consumer.group
    local first = group and first_of[group]
    if first then
      place:child("consumers"):child(consumer.name):child("group"):problem(
        ("%s is the group of %s too, each consumer needs its own"):format(
        place.report:show(consumer.group), place:child("consumers"):child(first.name).path))
    elseif group then
      first_of[group] = consumer
    end
  end
end

---What only the whole config shows.
function M.config(config, given, place)
  clusters.settle(config, given, place)
  distinct_groups(config, place)
end

return M

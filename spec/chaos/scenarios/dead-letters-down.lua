-- For a while neither dead letters nor what handlers publish can be written.

local brokers = require("spec.chaos.brokers")
local json = require("cjson")
local kcat = require("spec.support.kcat")
local unit = require("unit")
local uv = require("luv")

local RETRIES, KEYS, PARTITIONS = 2, 1000, 8
local LETTERS = "letters"
-- All three have to have it: without one of them nothing is acknowledged.
local ON_ALL = { ["min.insync.replicas"] = 3 }

-- What always fails, by name.
local bad = {}

local function name_of(key, number)
  return ("%s %d"):format(key, number)
end

local function start_kafka(rig)
  local cluster = brokers.start(rig)
  assert(unit.kafka.create_topic(cluster.brokers, LETTERS, PARTITIONS, 3, ON_ALL))
  return cluster
end

local function event(number, dice)
  if number % 200 == 100 then
    bad[name_of("order-" .. (number - 1) % KEYS + 1, (number - 1) // KEYS + 1)] = true
    return { fail_times = RETRIES + 1, is_last = true }
  end
  return { random_ms = 5, publish = dice(1, 10) == 1 and 1 or nil }
end

-- What was given up since: it cannot have been written.
local function watch_held(verdicts, since_ms)
  local held = { keys = {}, offsets = {}, count = 0 }
  verdicts.on_end = function(entry)
    if entry.at >= since_ms and bad[name_of(entry.key, entry.number)] then
      local first = held.offsets[entry.partition] or math.huge
      held.offsets[entry.partition] = math.min(first, entry.offset)
      held.keys[entry.key] = entry.number
      held.count = held.count + 1
    end
  end
  verdicts.on_begin = function(entry)
    local number = held.keys[entry.key]
    if number and entry.number > number then
      verdicts:blame("O", ("[%d]@%d (key %s) began before the dead letter of number %d was written")
        :format(entry.partition, entry.offset, entry.key, number))
    end
  end
  return held
end

local function judge_held(verdicts, held)
  for partition, offset in pairs(held.offsets) do
    if (verdicts.committed[partition] or 0) > offset then
      verdicts:blame("S", ("[%d]@%d is committed, and the dead letter of %d is not written"):format(
        partition, verdicts.committed[partition], offset))
    end
  end
end

local function read_letters(rig)
  local times, repeated = {}, 0
  for _, letter in ipairs(kcat.consume(rig.brokers, LETTERS)) do
    local name = name_of(letter.key, json.decode(letter.value).n)
    times[name] = (times[name] or 0) + 1
    repeated = repeated + (times[name] == 2 and 1 or 0)
  end
  return times, repeated
end

local function judge_letters(rig)
  local lost, total = {}, 0
  for name in pairs(bad) do
    total = total + 1
    if not rig.letters[name] then
      table.insert(lost, name)
    end
  end
  return #lost == 0, ("%d given up, %d of them while none could be written; %d letters lost%s, %d "
    .. "written more than once"):format(total, rig.held.count, #lost,
    #lost > 0 and ": " .. table.concat(lost, ", ", 1, math.min(10, #lost)) or "", rig.repeated)
end

return {
  says = "neither dead letters nor what handlers publish can be written for FAULTS=60 seconds",
  records = 50000,
  count = 60,
  rate = 500,
  keys = KEYS,
  partitions = PARTITIONS,
  members = 2,
  publishes = true,
  consumer = { dead_letter = LETTERS, on_error = { retries = RETRIES, backoff = "20ms" } },
  event = event,
  start_kafka = start_kafka,
  faults = function(rig)
    local verdicts = rig.judge.verdicts
    assert(unit.oracle.alter_topic(rig.brokers, rig.judge.out_topic, ON_ALL))
    rig:pass(10000)
    local id = rig.dice(1, 3)
    brokers.kill(rig, id)
    rig.held = watch_held(verdicts, brokers.now_ms() + 1000)
    local till = uv.hrtime() + rig.count * 1000000000
    rig:wait("time to pass", (rig.count + 60) * 1000, function()
      judge_held(verdicts, rig.held)
      return uv.hrtime() >= till
    end)
    verdicts.on_begin, verdicts.on_end = nil, nil
    rig.kafka:start(id)
    rig:fault("broker %d is started; %d records wait for their dead letters", id, rig.held.count)
    brokers.wait_in_sync(rig)
    brokers.recover(rig, "after broker " .. id .. " is back")
  end,
  finish = function(rig)
    rig.letters, rig.repeated = read_letters(rig)
  end,
  checks = { brokers.recovery, { letter = "G", judge = judge_letters } },
}

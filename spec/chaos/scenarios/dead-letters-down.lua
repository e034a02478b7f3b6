-- For a while neither dead letters nor what handlers publish can be written.

local brokers = require("spec.chaos.brokers")
local unit = require("unit")
local uv = require("luv")

local RETRIES, KEYS = 2, 1000
-- All three have to have it: without one of them nothing is acknowledged.
local ON_ALL = { ["min.insync.replicas"] = 3 }

-- What always fails, by name.
local bad = {}

local function name_of(key, number)
  return ("%s %d"):format(key, number)
end

local function event(number, dice)
  if number % 199 == 100 then
    bad[name_of("order-" .. (number - 1) % KEYS + 1, (number - 1) // KEYS + 1)] = true
    return { fail_times = RETRIES + 1, last_attempt = RETRIES + 1 }
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

-- Members make the topic of the dead letters when they start.
local function demand_all(rig)
  local letters = ("%s.%s.dead-letter"):format(rig.judge.topic, rig.judge.group)
  for _, topic in ipairs({ rig.judge.out_topic, letters }) do
    rig:wait("topic " .. topic, 30000, function()
      return unit.oracle.alter_topic(rig.brokers, topic, ON_ALL)
    end)
  end
end

return {
  says = "neither dead letters nor what handlers publish can be written for 60 s",
  records = 50000,
  seconds = 60,
  rate = 500,
  keys = KEYS,
  members = 2,
  publishes = true,
  consumer = { on_error = { retries = RETRIES, backoff = "20ms" } },
  event = event,
  start_kafka = brokers.start,
  faults = function(rig)
    local verdicts = rig.judge.verdicts
    demand_all(rig)
    rig:pass(10000)
    local id = rig.dice(1, 3)
    brokers.kill(rig, id)
    rig.held = watch_held(verdicts, brokers.now_ms() + 1000)
    local till = uv.hrtime() + rig.lasts_s * 1000000000
    rig:wait("time to pass", (rig.lasts_s + 60) * 1000, function()
      judge_held(verdicts, rig.held)
      return uv.hrtime() >= till
    end)
    verdicts.on_begin, verdicts.on_end = nil, nil
    rig.kafka:start(id)
    rig:fault("broker %d is started; %d records wait for their dead letters", id, rig.held.count)
    brokers.wait_in_sync(rig)
    brokers.recover(rig, "after broker " .. id .. " is back")
  end,
  checks = { brokers.recovery },
}

-- Handlers that take longer than a member may be silent.

local undisturbed = require("spec.chaos.undisturbed")

local KEYS = 1000
local LONG_MS = 35000
-- Each of them has another key, so that they run side by side.
local EVERY = 15007
local RATE = 1000
local WORKERS = 8
-- Half of these milliseconds on average: 31 % of what the workers can do.
local SHORT_MS = 5
local STRETCH_S = 40

-- [key]: it has or had a long handler
local long_keys, long_count = {}, 0
local are_wanted = false

-- By turns one that keeps its worker, and one that waits.
local function event(number, dice)
  if are_wanted and number % EVERY == 0 then
    long_keys["order-" .. (number - 1) % KEYS + 1] = true
    long_count = long_count + 1
    return number % (2 * EVERY) == 0 and { block_ms = LONG_MS } or { sleep_ms = LONG_MS }
  end
  return { block_ms = dice(0, SHORT_MS) }
end

-- How long records of other keys took from publisher to handler, into the list.
local function measure(rig, seconds, times)
  rig.judge.verdicts.on_begin = function(entry)
    if not long_keys[entry.key] then
      table.insert(times, entry.at - entry.sent_at)
    end
  end
  rig:pass(seconds * 1000)
  rig.judge.verdicts.on_begin = nil
end

local function count_long(rig)
  local count = 0
  for _, entry in pairs(rig.judge.verdicts.running) do
    count = count + (long_keys[entry.key] and 1 or 0)
  end
  return count
end

local function judge_latency(rig)
  local is_good, beside, without, limit = undisturbed.latency(rig)
  return is_good and long_count > 0, ("p99 of the other keys %d ms beside %d long handlers, "
    .. "%d ms before and after them; below %d ms"):format(beside, long_count, without, limit)
end

return {
  says = "handlers of 35 s beside max.poll.interval.ms = 10000 and session.timeout.ms = 6000",
  records = 60000,
  count = 6,
  rate = RATE,
  keys = KEYS,
  members = 1,
  may_repeat = false,
  consumer = { workers = WORKERS, handler_timeout = "60s", properties = {
    ["max.poll.interval.ms"] = 10000, ["session.timeout.ms"] = 6000 } },
  event = event,
  faults = function(rig)
    rig.without, rig.beside = {}, {}
    rig:pass(5000)
    measure(rig, STRETCH_S, rig.without)
    are_wanted = true
    rig:fault("from here on one in %d takes %d ms", EVERY, LONG_MS)
    rig:wait("the first of them", 2000 * EVERY // RATE, function()
      return count_long(rig) > 0
    end)
    measure(rig, rig.count * EVERY // RATE, rig.beside)
    are_wanted = false
    rig:fault("no more of them; there were %d", long_count)
    rig:wait("the end of the last of them", 3 * LONG_MS, function()
      return count_long(rig) == 0
    end)
    -- What they held up is no measure of the time without them.
    rig:wait("the end of what they held up", 60000, function()
      local waiting = rig.traffic.sent - rig.judge.verdicts.handled
      return waiting < RATE // 2, waiting
    end)
    rig:pass(5000)
    measure(rig, STRETCH_S, rig.without)
  end,
  checks = {
    { letter = "T", judge = judge_latency },
    { letter = "A", judge = undisturbed.judge_rebalances },
  },
}

-- Handlers that take longer than a member may be silent.

local KEYS = 1000
local LONG_MS = 35000
local EVERY = 15000
local RATE = 1000
local STRETCH_S = 40
-- Below this the machine's noise decides, and not the program.
local FLOOR_MS = 20

-- [key]: it has or had a long handler
local long_keys, long_count = {}, 0
local are_wanted = false

local function event(number)
  if are_wanted and number % EVERY == 0 then
    long_keys["order-" .. (number - 1) % KEYS + 1] = true
    long_count = long_count + 1
    return number % (2 * EVERY) == 0 and { block_ms = LONG_MS } or { sleep_ms = LONG_MS }
  end
  return { random_ms = 5 }
end

-- The time from publisher to handler that 99 of 100 records of other keys stay below.
local function measure_p99(rig, seconds)
  local times = {}
  rig.judge.verdicts.on_begin = function(entry)
    if not long_keys[entry.key] then
      table.insert(times, entry.at - entry.sent_at)
    end
  end
  rig:pass(seconds * 1000)
  rig.judge.verdicts.on_begin = nil
  table.sort(times)
  return times[math.ceil(#times * 0.99)]
end

local function judge_latency(rig)
  local limit = 2 * math.max(rig.without, FLOOR_MS)
  return rig.beside < limit, ("p99 of the other keys %d ms beside long handlers, %d ms without; "
    .. "below %d ms"):format(rig.beside, rig.without, limit)
end

local function judge_rebalances(rig)
  local assigned, lost = 0, 0
  for _, member in ipairs(rig.members.all) do
    assigned = assigned + #member.run:log("^consumer orders: assigned")
    lost = lost + #member.run:log("^consumer orders: lost")
  end
  return assigned == #rig.members.all and lost == 0,
    ("%d assignments of %d members, %d lost"):format(assigned, #rig.members.all, lost)
end

return {
  says = "handlers of 35 s beside max.poll.interval.ms = 10000 and session.timeout.ms = 6000",
  records = 60000,
  count = 5,
  rate = RATE,
  keys = KEYS,
  members = 1,
  may_repeat = false,
  consumer = { workers = 8, handler_timeout = "60s", properties = {
    ["max.poll.interval.ms"] = 10000, ["session.timeout.ms"] = 6000 } },
  event = event,
  faults = function(rig)
    rig:pass(5000)
    rig.without = measure_p99(rig, STRETCH_S)
    are_wanted = true
    rig:fault("from here on one in %d takes %d ms", EVERY, LONG_MS)
    rig:wait("the first of them", 2 * EVERY, function()
      return long_count > 0
    end)
    rig.beside = measure_p99(rig, rig.count * EVERY // RATE)
    are_wanted = false
    rig:fault("no more of them; there were %d", long_count)
  end,
  checks = { { letter = "T", judge = judge_latency }, { letter = "A", judge = judge_rebalances } },
}

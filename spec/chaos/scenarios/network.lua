-- The network between members and brokers is slow, cut, brittle or drips.

local brokers = require("spec.chaos.brokers")

local FAULTS = {
  { name = "latency", first = 20, last = 1000, longest_s = 10 },
  { name = "blackhole", longest_s = 15 },
  { name = "refuse", longest_s = 10 },
  { name = "slices", longest_s = 5 },
  { name = "reset", longest_s = 0 },
}

-- One broker, or all of them.
local function choose_fronts(rig)
  local number = rig.dice(1, 4)
  if rig.kafka.fronts[number] then
    return { rig.kafka.fronts[number] }, "the way to broker " .. number
  end
  return rig.kafka.fronts, "the way to all brokers"
end

local function set(fronts, ...)
  for _, front in ipairs(fronts) do
    front:set(...)
  end
end

local function disturb(rig)
  local fault = FAULTS[rig.dice(1, #FAULTS)]
  local fronts, where = choose_fronts(rig)
  local amount = fault.first and rig.dice(fault.first, fault.last)
  local duration_ms = rig.dice(0, fault.longest_s * 1000)
  brokers.charge(rig, duration_ms // 1000 + 10)
  rig:fault("%s on %s for %d ms", amount and ("%s of %d ms"):format(fault.name, amount)
    or fault.name, where, duration_ms)
  set(fronts, fault.name, amount)
  rig:pass(duration_ms)
  set(fronts, "none")
  brokers.recover(rig, "after " .. fault.name)
end

return {
  says = "latency, blackholes, resets and single bytes between members and brokers, 40 times",
  records = 100000,
  count = 40,
  rate = 500,
  members = 3,
  publishes = true,
  event = function(_, dice)
    return { random_ms = dice(1, 100) == 1 and 200 or 5, publish = dice(1, 10) == 1 and 1 or nil }
  end,
  start_kafka = brokers.start_behind_proxy,
  faults = function(rig)
    for _ = 1, rig.count do
      rig:pass(rig.dice(0, 3000))
      disturb(rig)
    end
  end,
  checks = brokers.checks,
}

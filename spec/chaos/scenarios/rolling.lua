-- Brokers are updated one after the other.

local brokers = require("spec.chaos.brokers")

return {
  says = "a rolling restart of all three brokers, 10 times",
  records = 100000,
  count = 10,
  rate = 500,
  members = 3,
  publishes = true,
  event = function(_, dice)
    return { random_ms = dice(1, 100) == 1 and 200 or 5, publish = dice(1, 10) == 1 and 1 or nil }
  end,
  start_kafka = brokers.start,
  faults = function(rig)
    for _ = 1, rig.count do
      for id = 1, 3 do
        rig:pass(rig.dice(0, 3000))
        brokers.restart(rig, id)
      end
    end
  end,
  checks = brokers.checks,
}

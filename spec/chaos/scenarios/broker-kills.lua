-- Brokers lose power one at a time, and come back with what they had.

local brokers = require("spec.chaos.brokers")

return {
  says = "SIGKILL of a random broker of three, 20 times",
  records = 100000,
  count = 20,
  rate = 500,
  members = 3,
  publishes = true,
  event = function(_, dice)
    return { random_ms = dice(1, 100) == 1 and 200 or 5, publish = dice(1, 10) == 1 and 1 or nil }
  end,
  start_kafka = brokers.start,
  faults = function(rig)
    for _ = 1, rig.count do
      local id = rig.dice(1, 3)
      rig:pass(rig.dice(0, 3000))
      brokers.kill(rig, id)
      brokers.recover(rig, "after broker " .. id .. " died")
      rig.kafka:start(id)
      rig:fault("broker %d is started", id)
      brokers.wait_in_sync(rig)
    end
  end,
  checks = brokers.checks,
}

-- All brokers lose power at once, and come back much later.

local brokers = require("spec.chaos.brokers")

return {
  says = "SIGKILL of all three brokers, and nothing answers for 360 s",
  records = 100000,
  seconds = 360,
  rate = 300,
  members = 3,
  publishes = true,
  event = function(_, dice)
    return { random_ms = dice(1, 100) == 1 and 200 or 5, publish = dice(1, 10) == 1 and 1 or nil }
  end,
  start_kafka = brokers.start,
  faults = function(rig)
    rig:pass(10000)
    brokers.charge(rig, 5)
    rig:fault("SIGKILL of all brokers")
    rig.kafka:kill_all()
    rig:pass(rig.lasts_s * 1000)
    rig.kafka:start_all()
    rig:fault("all brokers are started")
    brokers.wait_in_sync(rig)
    brokers.recover(rig, "after all brokers are back")
  end,
  checks = brokers.checks,
}

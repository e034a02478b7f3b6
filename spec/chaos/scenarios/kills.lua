-- Members die without a word, again and again.

return {
  says = "SIGKILL of a random member under load, 200 times",
  records = 200000,
  count = 200,
  rate = 1500,
  keys = 2000,
  members = 3,
  event = function(_, dice)
    return { random_ms = dice(1, 100) == 1 and 50 or 5 }
  end,
  faults = function(rig)
    for _ = 1, rig.count do
      rig:pass(rig.dice(500, 3000))
      rig.members:kill(rig.members:any())
      rig.members:come()
    end
    rig:wait_progress()
  end,
}

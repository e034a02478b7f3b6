-- Members die without a word, again and again.

return {
  says = "200 times SIGKILL of a random member under load",
  records = 200000,
  count = 200,
  rate = 1500,
  keys = 2000,
  members = 3,
  event = function(_, dice)
    return { random_ms = dice(1, 100) == 1 and 50 or 5 }
  end,
  faults = function(rig)
    for i = 1, rig.count do
      rig:pass(rig.dice(1000, 4000))
      rig.members:kill(rig.members:any())
      rig.members:come()
      -- Now and then the group is whole again before the next one dies.
      if i % 10 == 0 then
        rig:wait_progress()
      end
    end
    rig:wait_progress()
  end,
}

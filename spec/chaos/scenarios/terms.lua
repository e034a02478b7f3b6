-- Members are stopped as in a deployment: what has begun ends, the rest is given back.

return {
  says = "100 SIGTERMs, handlers of up to 50 ms, each key in order: nothing is done twice",
  records = 100000,
  count = 100,
  rate = 800,
  -- Few keys, and some of them busy: so much is completed ahead of what waits for its key.
  keys = 100,
  members = 3,
  may_repeat = false,
  event = function()
    return { random_ms = 50 }
  end,
  faults = function(rig)
    for _ = 1, rig.count do
      rig:pass(rig.dice(500, 2500))
      local member = rig.members:any()
      rig.members:terminate(member)
      rig.members:come()
      rig.members:wait_end(member, 25000)
    end
    rig:wait_progress()
  end,
}

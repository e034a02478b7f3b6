-- Members are stopped as in a deployment: what has begun ends, the rest is given back.

return {
  says = "100 times SIGTERM of a random member, handlers of up to 50 ms: nothing is done twice",
  records = 100000,
  count = 100,
  rate = 800,
  keys = 2000,
  members = 3,
  -- Under "key" what is completed ahead of a record that has not begun is handed out again.
  consumer = { distribution = "free_worker" },
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

-- Members stand still for longer than their session and come back with what they had in hand.

local function losses(rig)
  local count = 0
  for _, member in ipairs(rig.members.all) do
    count = count + member.losses
  end
  return count
end

return {
  says = "30 times SIGSTOP of a random member past its session: its late commit counts for nothing",
  records = 100000,
  count = 30,
  rate = 1000,
  keys = 2000,
  members = 3,
  event = function(_, dice)
    return { random_ms = dice(1, 50) == 1 and 300 or 5 }
  end,
  faults = function(rig)
    for i = 1, rig.count do
      rig:pass(rig.dice(500, 3000))
      rig.members:freeze(rig.members:any(), rig.dice(5500, 9000))
      rig:wait("the loss to be noticed", 60000, function()
        return losses(rig) >= i
      end)
      rig:wait_progress()
    end
  end,
}

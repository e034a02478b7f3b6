-- Members join and leave, under one of the two protocols.

local M = {}

local MAX_MEMBERS = 5

---@param strategy string of librdkafka's partition.assignment.strategy
---@return spec.Scenario
function M.scenario(strategy)
  return {
    says = ("100 times a member joins or leaves, every 3 to 8 s, %s"):format(strategy),
    records = 200000,
    count = 100,
    rate = 1000,
    keys = 2000,
    members = 2,
    consumer = { properties = { ["partition.assignment.strategy"] = strategy } },
    event = function(_, dice)
      return dice(1, 50) == 1 and { sleep_ms = dice(50, 300) } or { random_ms = 5 }
    end,
    faults = function(rig)
      for _ = 1, rig.count do
        rig:pass(rig.dice(3000, 8000))
        local present = #rig.members.list
        if present < 2 or present < MAX_MEMBERS and rig.dice(0, 1) == 0 then
          rig.members:join()
        else
          rig.members:terminate(rig.members:any())
        end
      end
      rig:wait_progress()
    end,
  }
end

return M

-- All that can happen to members, in the order that the seed gives.

local MAX_MEMBERS = 4
-- CI gives it five minutes, Kafka's start and the drain at the end included.
local LAST_SECONDS = 210

local acts = {}

function acts.join(rig)
  if #rig.members.list < MAX_MEMBERS then
    rig.members:join()
  end
end

function acts.leave(rig)
  if #rig.members.list > 1 then
    rig.members:terminate(rig.members:any())
  end
end

function acts.kill(rig)
  if #rig.members.list > 1 then
    rig.members:kill(rig.members:any())
  end
end

function acts.freeze(rig)
  rig.members:freeze(rig.members:any(), rig.dice(0, 1) == 0 and 500 or 6000)
end

function acts.calm(rig)
  rig:wait_progress()
end

local ORDER = { "join", "join", "join", "leave", "kill", "freeze", "calm" }

return {
  says = "members join, leave, die and freeze, in the order that the seed gives",
  records = 100000,
  count = 60,
  rate = 800,
  keys = 1000,
  members = 2,
  publishes = true,
  consumer = { drain_timeout = "1s", on_error = { backoff = "20ms" },
    properties = { ["partition.assignment.strategy"] = "cooperative-sticky" } },
  event = function(_, dice)
    local kind = dice(1, 1000)
    if kind <= 2 then
      return { sleep_ms = 3000 }
    elseif kind <= 4 then
      return { block_ms = 1500 }
    elseif kind <= 60 then
      return { random_ms = 300, publish = 1 }
    elseif kind <= 100 then
      return { fail_times = 1 }
    end
    return { random_ms = 4 }
  end,
  faults = function(rig)
    local done = 0
    while done < rig.count and rig:seconds() < LAST_SECONDS do
      done = done + 1
      acts[ORDER[rig.dice(1, #ORDER)]](rig)
      rig:pass(rig.dice(0, 4000))
    end
    rig:wait_progress()
  end,
}

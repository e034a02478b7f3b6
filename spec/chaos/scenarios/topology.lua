-- The topology of docker/compose.yaml as processes: an API side that is published to over HTTP, a
-- worker side that grows and shrinks, and Kafka's own client beside it.

local publishers = require("spec.support.oracle_publishers")

local HTTP_A_SECOND = 500
local HTTP_S = 15
local JAVA = 3000
local WORKERS = 3

-- Of all clients: what they were told is written is on the topic, and nothing else is.
local function judge_written(rig)
  local told, written = rig.publishers.acknowledged + (rig.traffic.writer:counts()), 0
  for _, offset in pairs(rig.judge:end_offsets()) do
    written = written + offset
  end
  return told == written and rig.is_api_good, ("%d records on the topic of %d that clients were "
    .. "told are there; %d of these over HTTP and by Kafka's client; the API side ended %s"):format(
    written, told, rig.publishers.acknowledged, rig.is_api_good and "well" or "badly")
end

local function grow(rig)
  while #rig.members.list < WORKERS do
    local member = rig.members:join()
    rig.members:wait_assigned(member)
    rig:wait_progress()
  end
end

local function shrink(rig)
  while #rig.members.list > 1 do
    local member = rig.members:any()
    rig.members:terminate(member)
    rig.members:wait_end(member)
    rig:wait_progress()
  end
end

return {
  says = "an API side over HTTP, Kafka's client in Java, 1 to 3 worker sides, 10 times up and down",
  records = 20000,
  count = 10,
  rate = 500,
  keys = 500,
  members = 1,
  may_repeat = false,
  config = publishers.config,
  event = function()
    return { random_ms = 5 }
  end,
  faults = function(rig)
    rig.publishers = publishers.new(rig.judge)
    for round = 1, rig.count do
      rig.publishers:begin_http(HTTP_A_SECOND * HTTP_S, HTTP_A_SECOND)
      grow(rig)
      rig.publishers:produce(JAVA)
      rig:say("round %d: %d worker sides", round, #rig.members.list)
      shrink(rig)
      rig.publishers:produce(JAVA)
      rig:wait("the end of what is published over HTTP", 120000, function()
        return rig.publishers:has_ended()
      end)
    end
    rig.is_api_good = rig.publishers:stop()
  end,
  checks = { { letter = "K", judge = judge_written } },
}

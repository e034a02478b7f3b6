-- A member sleeps beyond its session, another goes on in its place and leaves: what the first one
-- had handled is not committed any more.

local PROPERTIES = { ["session.timeout.ms"] = 2000, ["heartbeat.interval.ms"] = 300,
  ["max.poll.interval.ms"] = 6000 }

return function(trial)
  local judge = trial:start({ partitions = 2, consumer = { workers = 2, commit_interval = "60s",
    properties = PROPERTIES } })
  local first = trial:come()
  local sent = judge:start_traffic({ rate = 300, keys = 50, event = function() return {} end })
  trial:pass(500)
  first.process:signal("sigstop")
  local second = trial:come()
  trial:pass(500)
  trial:go(second)
  first.process:signal("sigcont")
  trial:wait("Q", "the loss to be noticed", 10000, function()
    return #first:log(": lost orders") > 0
  end)
  sent:stop()
  trial:pass(1000)
  -- Kafka knows no such member and refuses it, unless there is none at all: it is not to be tried.
  local refused = first:log("offsets could not be committed")[1]
  if refused then
    trial:blame("C", "a commit was sent for what was lost: " .. refused.message)
  end
  local ends = judge:end_offsets()
  trial:wait_handled(ends, 15000)
  trial:go(first)
  trial:wait_committed(ends, 5000)
end

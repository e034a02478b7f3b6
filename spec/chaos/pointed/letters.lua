-- Dead letters that are not written for a while: no commit passes their records. With
-- options.is_refused the broker refuses them for good.

local RECORDS, KEYS, BAD = 300, 10, 50

return function(trial)
  local is_refused = trial.options.is_refused
  local letters = trial:topic("letters", is_refused and { ["max.message.bytes"] = "120" } or nil)
  local judge = trial:start({ partitions = 1, is_ordered = false, consumer = { workers = 2,
    commit_interval = "200ms", dead_letter = letters,
    on_error = { retries = 1, backoff = "10ms" } },
    cluster = { properties = not is_refused and { ["linger.ms"] = 10000 } or nil } })
  trial:fill(RECORDS, KEYS, function(number)
    return number == BAD and { fail_times = 99 } or { random_ms = 2 }
  end)
  local member = trial:come()
  trial:wait("Q", "a record to be given up", 10000, function()
    return #member:log("^consumer orders: a record is given up") > 0
  end)
  trial:wait("Q", "the commit of what comes before it", 10000, function()
    return judge.verdicts.committed[0] == BAD - 1, judge.verdicts.committed[0]
  end)
  trial:pass(2000)
  trial:kill(member)
end

-- A member with more in its window than it gets done hands half of its partitions to another one,
-- and gets them back. With options.distribution = "partition" nothing is completed ahead of what is
-- not begun, so that nothing at all may be handled twice.

local RECORDS, KEYS = 4000, 100

return function(trial)
  local distribution = trial.options.distribution or "key"
  local judge = trial:start({ partitions = 4, consumer = { workers = 4, buffer_size = 2,
    distribution = distribution, commit_interval = "200ms", window = { records = 400 } } })
  trial:fill(RECORDS, KEYS, function() return { random_ms = 6 } end)
  local first = trial:come()
  trial:wait("Q", "some to be handled", 10000, function()
    return judge.verdicts.handled > 200
  end)
  local second = trial:come()
  trial:pass(300)
  trial:go(second)
  trial:settle(20000)
  trial:go(first)
  if distribution == "partition" then
    trial:check_repeated()
  end
end

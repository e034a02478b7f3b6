-- A member with more in its window than it gets done hands half of its partitions to another one,
-- and gets them back. What is completed ahead of what has not begun is not handled twice: a member
-- finishes first what stands before it. That is much when some records of a key take long
-- (options.slow_ms).

local RECORDS, KEYS = 4000, 100
local SLOW_EVERY = 37 -- of no key more than of another

return function(trial)
  local distribution = trial.options.distribution or "key"
  local judge = trial:start({ partitions = 4, consumer = { workers = 4, buffer_size = 2,
    distribution = distribution, commit_interval = "200ms", window = { records = 400 } } })
  trial:fill(RECORDS, KEYS, function(number)
    local is_slow = trial.options.slow_ms and number % SLOW_EVERY == 0
    return is_slow and { sleep_ms = trial.options.slow_ms } or { random_ms = 6 }
  end)
  local first = trial:come()
  trial:wait("Q", "some to be handled", 10000, function()
    return judge.verdicts.handled > 200
  end)
  local second = trial:come()
  trial:pass(300)
  trial:go(second)
  trial:settle(20000)
  trial:go(first)
  trial:check_repeated()
end

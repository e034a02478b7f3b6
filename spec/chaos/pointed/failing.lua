-- One in ten fails once or twice: it is tried again before its successors, and nothing is lost.

local RECORDS, KEYS = 800, 20

local function event_of(number)
  if number % 10 ~= 0 then
    return { random_ms = 2 }
  end
  -- Longer than the pause before the next try.
  return { sleep_ms = 30, fail_times = 1 + number // 10 % 2 }
end

return function(trial)
  trial:start({ partitions = 2, consumer = { workers = 4,
    commit_interval = "200ms", on_error = { retries = 3, backoff = "20ms" } } })
  trial:fill(RECORDS, KEYS, event_of)
  local member = trial:come()
  trial:settle(20000)
  trial:go(member)
end

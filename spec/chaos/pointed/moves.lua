-- Members come and go while handlers that take a moment run: nothing is handled twice.

local PROPERTIES = { ["session.timeout.ms"] = 6000,
  ["partition.assignment.strategy"] = "cooperative-sticky" }

local function event_of(number)
  return number % 6 == 0 and { sleep_ms = 200 } or { random_ms = 5 }
end

return function(trial)
  local judge = trial:start({ partitions = 4, is_ordered = false, consumer = { workers = 4,
    distribution = "free_worker", properties = PROPERTIES } })
  local first = trial:come()
  local sent = judge:start_traffic({ rate = 500, keys = 100, event = event_of })
  for _ = 1, 2 do
    local second = trial:come()
    trial:pass(700)
    trial:go(second)
    trial:pass(300)
  end
  sent:stop()
  trial:settle(15000)
  trial:go(first)
  trial:check_repeated()
end

-- Handlers fail, a few of them always.

local RETRIES = 2
local FAILING = 10
local HOPELESS = 1000

return {
  says = "500,000 records; one call in 10 fails once, one record in 1,000 always",
  records = 500000,
  backlog = 20000,
  keys = 20000,
  members = 1,
  consumer = { workers = 8, on_error = { retries = RETRIES, backoff = "10ms" } },
  may_repeat = false,
  event = function(_, dice)
    local event = { last_attempt = RETRIES + 1 }
    if dice(1, HOPELESS) == 1 then
      event.fail_times = RETRIES + 1
    elseif dice(1, FAILING) == 1 then
      event.fail_times = 1
    end
    return event
  end,
}

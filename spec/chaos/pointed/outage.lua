-- Every call fails for a while, as when a service is down: no more is given up than the breaker
-- allows, with what is in hand.

local uv = require("luv")

-- It is given up in the end, so each try counts as a whole one.
local WORK = [[
local ledger = require("ledger")

return function(event, context)
  ledger.begin(event, context)
  ledger.finish(event, context)
  error("the service is down")
end
]]

local RECORDS, BREAKER, WORKERS, HANDS = 300, 5, 2, 10

return function(trial)
  local judge = trial:start({ partitions = 2, is_ordered = false, consumer = { workers = WORKERS,
    buffer_size = HANDS, on_error = { retries = 1, backoff = "10ms", max_backoff = "500ms",
      breaker = BREAKER } } })
  judge.app:script("work", WORK)
  trial:fill(RECORDS, RECORDS, function() return {} end)
  local member = trial:come()
  local allowed = BREAKER + WORKERS * HANDS
  local till = uv.hrtime() + 3000 * 1000000
  trial:wait("Q", "the outage", 10000, function()
    local letters = #member:log("^consumer orders: a record is given up")
    if letters > allowed then
      trial:blame("G", ("%d records are given up, and %d at most may be"):format(letters, allowed))
    end
    return #member:log("the breaker is open") > 0 and uv.hrtime() >= till, "the breaker is closed"
  end)
  trial:kill(member)
end

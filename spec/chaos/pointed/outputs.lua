-- Handlers publish by a quick producer and by one that keeps its records for seconds: no commit
-- passes a record before both have acknowledged. With options.fails the first attempt publishes by
-- the quick one and fails, and the second by the slow one.

local RECORDS = 200

local WORK = [[
local lagoon = require("lagoon")
local ledger = require("ledger")

local quick, slow = lagoon.producer("quick"), lagoon.producer("slow")
local fails = %s

return function(event, context)
  ledger.begin(event, context)
  local is_last = context.attempt == 2 or not fails
  if context.attempt == 1 then
    quick:publish("Done", event, { key = context.key })
  end
  if is_last then
    slow:publish("Done", event, { key = context.key })
    ledger.finish(event, context)
  else
    ledger.fail(event, context)
    error("as asked")
  end
end
]]

-- Looked at after the commits, so that it is never behind them.
local function check_published(trial, topic)
  local committed = trial.judge:sample(true)
  local sum = 0
  for _, offset in pairs(committed or {}) do
    sum = sum + offset
  end
  local published = sum > 0 and trial:count(topic) or 0
  if sum > published then
    trial:blame("P", ("%d records are committed, and of those %d published theirs"):format(sum,
      published))
  end
end

return function(trial)
  local fails = trial.options.fails or false
  local quick, slow = trial:topic("quick"), trial:topic("slow")
  local judge = trial:start({ partitions = 2, is_ordered = false, producers = {
    quick = { topic = quick, properties = { ["linger.ms"] = 300 } },
    slow = { topic = slow, properties = { ["linger.ms"] = 3000 } },
  }, consumer = { workers = 2, commit_interval = "200ms", on_error = { backoff = "10ms" } } })
  judge.app:script("work", WORK:format(fails))
  trial:fill(RECORDS, RECORDS, function() return {} end)
  local member = trial:come()
  trial:wait("Q", "all to be handled, published and committed", 15000, function()
    check_published(trial, slow)
    return trial:count(slow) == RECORDS, trial:count(slow)
  end)
  trial:settle(10000)
  trial:go(member)
end

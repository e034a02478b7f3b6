-- Fetches of a few records each: what is read is settled while the log goes on behind it.

local RECORDS, KEYS = 60, 5

return function(trial)
  trial:start({ partitions = 1, consumer = { workers = 2, commit_interval = "100ms",
    properties = { ["fetch.message.max.bytes"] = 1000, ["queued.min.messages"] = 1 } } })
  trial:fill(RECORDS, KEYS, function() return {} end, 5)
  local member = trial:come()
  trial:settle(15000)
  trial:go(member)
end

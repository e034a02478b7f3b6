-- A handler that neither ends nor can be interrupted in time: the stop abandons it, and says so by
-- its exit code.

local traffic = require("spec.support.oracle_traffic")

local UNFINISHED = 5

return function(trial)
  local judge = trial:start({ partitions = 1, consumer = { workers = 2 } })
  local writer = judge:new_writer()
  traffic.send(writer, judge.topic, "stuck", 1, { block_ms = 30000 })
  local member = trial:come({ "--set", "stop_timeout=2s" })
  trial:wait("Q", "the handler", 10000, function()
    return judge.verdicts:count_running({ offset = 0 }) == 1
  end)
  trial:go(member, UNFINISHED)
end

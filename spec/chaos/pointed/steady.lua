-- One member, a small window, records that keep workers for a while or wait: all is handled in its
-- order and committed to its end. Then single records, each of which has to wake somebody.

local traffic = require("spec.support.oracle_traffic")

local RECORDS, KEYS, SINGLES = 1500, 30, 10

local function event_of(number)
  return number % 100 == 0 and { sleep_ms = 300 } or { random_ms = 4 }
end

return function(trial)
  local judge = trial:start({ partitions = 2, consumer = { workers = 4, commit_interval = "200ms",
    window = { records = 200 } } })
  trial:fill(RECORDS, KEYS, event_of)
  local member = trial:come()
  trial:settle(10000)
  local writer = judge:new_writer()
  local handled = judge.verdicts.handled
  for i = 1, SINGLES do
    traffic.send(writer, judge.topic, "single-" .. i, 1, {})
    trial:wait("Q", "a single record to be handled", 5000, function()
      return judge.verdicts.handled == handled + i, "it is not"
    end)
  end
  trial:settle(10000)
  trial:go(member)
end

-- When a service is away, not every record goes to the dead letters.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local HANDLER = [[
local journal = require("journal")

return function(event, context)
  local file = io.open("@FOLDER@/gates/service")
  if not file then
    journal.record(context, { n = event.n, what = "failed", attempt = context.attempt })
    error("the service is away")
  end
  file:close()
  journal.record(context, { n = event.n, what = "handled" })
end
]]

describe("a service that is away", function()
  it("opens the breaker, is tried now and then, and gets all the rest when it is back", function()
    local broker = brokers.start()
    local topic = broker:new_topic("outage", 2)
    local app = application.new(broker.brokers, { consumers = {
      c = { topic = topic, group = topic, workers = 1, buffer_size = 1, commit_interval = "50ms",
        handlers = { Event = "handlers.work" },
        on_error = { retries = 1, backoff = "1ms", max_backoff = "100ms", breaker = 3 } },
    } })
    app:script("handlers/work", (HANDLER:gsub("@FOLDER@", app.folder)))
    local lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
    local records, count = {}, 60
    for n = 1, count do
      records[n] = { key = "k" .. n % 20, value = ('{"n":%d}'):format(n) }
    end
    broker:produce(topic, records, { headers = { { "Message-Type", "Event" } } })

    local line = lagoon:wait_log("^consumer c: 3 records in a row were given up, which looks like")
    assert.equal("error", line.level)
    -- Behind those that were about to be tried again when it opened: one at a time, at the pace.
    wait.till("tries at the pace of max_backoff", 10000, function()
      local seen = app:journal()
      return #seen >= 4 and seen[#seen].at - seen[#seen - 3].at >= 250
    end)

    app:open_gate("service")
    lagoon:wait_log("^consumer c: a record was handled: the breaker is closed")
    local letters = broker:consume(("%s.%s.dead-letter"):format(topic, topic))
    assert.equal(3, #letters)
    app:wait_journal(count - 3, { what = "handled" })
    wait.till("all to be committed", 10000, function()
      local committed, sum = broker:committed(topic, topic, 2), 0
      for _, offset in pairs(committed) do
        sum = sum + offset
      end
      return sum == count
    end)
    assert.equal(0, lagoon:stop())
    local counts = lagoon:wait_log("^consumer c: stopped")
    assert.same({ count - 3, 3 }, { counts.handled, counts.dead_letters })
  end)
end)

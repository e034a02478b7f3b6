-- What lagoon run says at its start, and on a terminal all the time.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local screens = require("spec.support.screen")
local wait = require("spec.support.wait")

describe("lagoon run on a terminal", function()
  it("says what it begins with, that it is ready, and below all lines what it does", function()
    local broker = brokers.start()
    local topic = broker:new_topic("start", 2)
    local app = application.new(broker.brokers, {
      topics = { [topic] = { partitions = 2 } },
      producers = { out = { topic = topic } },
      consumers = {
        c = { topic = topic, group = brokers.unique("start"), workers = { max = 3 },
          handlers = { Event = "handlers.fails_once" } },
      },
    }, { ["handlers/fails_once"] = [[
      local journal = require("journal")
      return function(_, context)
        journal.record(context)
        if context.attempt == 1 then error("at first") end
      end
    ]] })
    local screen = screens.start("run --listen 127.0.0.1:0",
      { directory = app.folder, width = 110, height = 30, env = { NO_COLOR = "1" } })
    local process = screen.process
    local before = 0
    for _, line in ipairs({ "lagoon %d+%.%d+%.%d+, config config%.lua",
      "consumers: c; producers: out", "brokers: " .. broker.brokers:gsub("%p", "%%%0"),
      "topics: %S+ with 2 partitions",
      "admin: http://127%.0%.0%.1:%d+", "ready: 2 partitions, 1 worker, after %d+%.%d s" }) do
      process:wait_for("INFO  " .. line)
      local at = process:stdout():find(line)
      assert.is_true(at > before, line)
      before = at
    end

    ---What stands below the lines by now.
    local function wait_status(pattern)
      wait.till("a status like " .. pattern, 10000, function()
        local status = process:stdout():match("[^\n\r]*$"):gsub("^\27%[K", "")
        return status:find(pattern), status
      end)
    end
    wait_status("^0/s  lag 0  workers 1/3  in flight 0  errors 0  partitions 2  generation 1$")
    broker:produce(topic, { { key = "k", value = "{}" } },
      { headers = { { "Message-Type", "Event" } } })
    app:wait_journal(2)
    wait_status("^%d+/s  lag 0  workers 1/3  in flight 0  errors 1  partitions 2  generation 1$")
    screen:resize(20, 30)
    wait_status("^%d+/s  lag 0  workers?$")
    assert.equal(nil, process:stdout():find("\27%[%d*m"))
    screen:type("\3")
    process:wait_for("ended 0, restored yes")
    assert.matches("\r\27%[Kended 0", process:stdout())
  end)
end)

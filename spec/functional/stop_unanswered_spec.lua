-- A stop while Kafka is there and says nothing.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local threads = require("spec.support.threads")
local uv = require("luv")
local wait = require("spec.support.wait")

describe("a stop while Kafka answers no more", function()
  it("has the same deadline, and says by its exit code and in the log what it leaves", function()
    local own = brokers.start_embedded()
    local topic = own:new_topic("unanswered", 1)
    local app = application.new(own.brokers, { stop_timeout = "2s", consumers = { c = {
      topic = topic, group = topic, commit_interval = "1h",
      handlers = { Event = "handlers.event" } } } },
      { ["handlers/event"] = 'return function(_, c) require("journal").record(c) end' })
    local run = app:start({ "run" })
    run:wait_assigned("c")
    own:produce(topic, { { key = "k", value = "{}" } },
      { headers = { { "Message-Type", "Event" } } })
    app:wait_journal(1)
    own.process:signal("sigstop")
    wait.till("a broker that is frozen", 5000, function()
      return threads.are_frozen(own.process.pid)
    end)
    local began = uv.hrtime()
    run.process:signal("sigterm")
    local code = run.process:wait_exit(10000)
    local took_ms = (uv.hrtime() - began) // 1000000
    own.process:signal("sigcont")

    assert.equal(5, code, run.process:tail())
    assert.is_true(took_ms < 4000 * wait.patience, took_ms .. " ms")
    run:wait_log("is given back before offset.* were? committed")
    local said = run:wait_log("^consumer c: could not be closed within stop_timeout$")
    assert.equal("error", said.level)
  end)
end)

-- Where a handler cannot yield its thread waits for a broker, for as long as it takes.

local uv = require("luv")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local COUNT, LIMIT_MS = 50, 1000

-- Inside gsub the handler cannot yield.
local FLOOD = [[
local journal = require("journal")
local producer = require("lagoon").producer("narrow")

return function(event, context)
  journal.record(context, { what = "begin" })
  local n = 0
  ;("x"):rep(event.count):gsub("x", function()
    n = n + 1
    producer:publish("Sent", { n = n }, { key = "k" })
  end)
  journal.record(context, { what = "end" })
end
]]

describe("a publish where the handler cannot yield", function()
  local near, far, app, lagoon, source, target

  setup(function()
    near, far = brokers.start(), brokers.start_embedded()
    source, target = near:new_topic("source", 1), far:new_topic("target", 1)
    app = application.new(nil, {
      clusters = { near = { brokers = near.brokers }, far = { brokers = far.brokers } },
      producers = { narrow = { cluster = "far", topic = target,
        properties = { ["queue.buffering.max.messages"] = 10 } } },
      consumers = { c = { cluster = "near", topic = source, group = source, workers = 1,
        on_error = { retries = 0, give_up = "stop" }, handler_timeout = LIMIT_MS .. "ms",
        handlers = { Event = "handlers.flood" } } },
    }, { ["handlers/flood"] = FLOOD })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  it("does not wait at the cost of handler_timeout", function()
    far.process:signal("sigstop")
    finally(function() far.process:signal("sigcont") end)
    near:produce(source, { { key = "k", value = ('{"count":%d}'):format(COUNT) } },
      { partition = 0, headers = { { "Message-Type", "Event" } } })
    app:wait_journal(1, { what = "begin" })
    local began = uv.hrtime()
    wait.till("twice its limit", 10 * LIMIT_MS, function()
      return uv.hrtime() - began > 2 * LIMIT_MS * 1000000
    end)
    assert.same({}, app:journal({ what = "end" }))
    far.process:signal("sigcont")
    app:wait_journal(1, { what = "end" })
    assert.equal(COUNT, #far:consume(target, { count = COUNT }))
    assert.same({}, lagoon:log("^consumer c: a record failed"))
    assert.equal(0, lagoon:stop())
  end)
end)

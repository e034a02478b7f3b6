-- Topics by a regular expression.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

local NOTES = [[
local journal = require("journal")
return function(_, context)
  journal.record(context, {})
end
]]

local FAIL = [[
local journal = require("journal")
return function(_, context)
  journal.record(context, { consumer = context.consumer })
  error("never good")
end
]]

local function produce(broker, topic)
  broker:produce(topic, { { key = "k", value = "{}" } },
    { headers = { { "Message-Type", "Event" } } })
end

local function start(broker, pattern, group)
  local app = application.new(broker.brokers, {
    consumers = {
      c = { topic = pattern, group = group, handlers = { Event = "handlers.notes" } },
    },
  }, { ["handlers/notes"] = NOTES })
  return app, app:start({ "run" })
end

describe("a consumer of a pattern", function()
  it("reads what matches, also when it appears later, and no dead letters", function()
    local broker = brokers.start()
    local prefix, group = brokers.unique("matched"), brokers.unique("g")
    local first, dead, other = prefix .. "-a", prefix .. "-a.g.dead-letter", "un" .. prefix
    for _, topic in ipairs({ first, dead, other }) do
      broker:create_topic(topic, 1)
      produce(broker, topic)
    end
    local app, run = start(broker, "^" .. prefix .. "-[a-z.-]+", group)
    app:wait_journal(1, { topic = first }, 30000)

    local late = prefix .. "-late"
    broker:create_topic(late, 2)
    produce(broker, late)
    app:wait_journal(1, { topic = late }, 40000)
    for _, entry in ipairs(app:journal()) do
      assert(entry.topic == first or entry.topic == late, entry.topic)
    end
    assert.equal(0, run:stop())
    assert.same({ [0] = 1 }, broker:committed(group, first, 1))
    assert.same({}, broker:committed(group, dead, 1))
  end)

  it("does not read what it gave up, neither by the usual name nor by one of its own", function()
    local broker = brokers.start()
    local prefix = brokers.unique("failing")
    local first, late, own = prefix .. "-a", prefix .. "-late", prefix .. "-given-up"
    local usual = first .. ".usual.dead-letter"
    for _, topic in ipairs({ first, own, usual }) do
      broker:create_topic(topic, 1)
    end
    local function consumer(name, dead_letter)
      return { topic = "^" .. prefix, group = name, dead_letter = dead_letter,
        on_error = "dead_letter", handlers = { Event = "handlers.fail" } }
    end
    local app = application.new(broker.brokers, {
      consumers = { usual = consumer("usual"), own = consumer("own", own) },
    }, { ["handlers/fail"] = FAIL })
    local run = app:start({ "run" })
    produce(broker, first)
    assert.equal(first, broker:consume(own, { count = 1 })[1].headers[2][2])
    broker:consume(usual, { count = 1 })
    -- Who looks for new topics again sees the others too.
    broker:create_topic(late, 1)
    produce(broker, late)
    app:wait_journal(2, { topic = late }, 40000)
    assert.equal(4, #app:journal())
    assert.equal(2, #broker:consume(own, { count = 2 }))
    assert.equal(1, #broker:consume(usual))
    assert.equal(0, run:stop())
  end)

  it("waits for a topic that matches", function()
    local broker = brokers.start()
    local prefix = brokers.unique("awaited")
    local app, run = start(broker, "^" .. prefix .. "$", brokers.unique("g"))
    run:wait_log(('^no topic matches "%%^%s%%$" yet; waiting for one$'):format(
      prefix:gsub("%p", "%%%0")))
    broker:create_topic(prefix, 1)
    produce(broker, prefix)
    app:wait_journal(1, { topic = prefix }, 40000)
    assert.equal(0, run:stop())
  end)
end)

describe("a consumer that is not enabled", function()
  it("is said and not started, the others are", function()
    local broker = brokers.start()
    local topic = broker:new_topic("enabled", 1)
    local app = application.new(broker.brokers, {
      consumers = {
        off = { topic = topic, group = brokers.unique("off"), enabled = false,
          handlers = { Event = "handlers.notes" } },
        on = { topic = topic, group = brokers.unique("on"),
          handlers = { Event = "handlers.notes" } },
      },
    }, { ["handlers/notes"] = NOTES })
    local run = app:start({ "run" })
    produce(broker, topic)
    app:wait_journal(1)
    run:wait_log("^consumer off is not started: `enabled` is false$")
    assert.equal(0, run:stop())
    assert.same({}, run:log("^consumer off: "))
    assert.equal(1, #app:journal())
    local only = app:run({ "run", "--only", "off" })
    assert.equal(2, only.process.code)
    assert.matches("%-%-only off: this consumer is disabled; remove `enabled = false` at "
      .. "config%.lua:%d+ to run it\n$", only.process:stderr())
  end)
end)

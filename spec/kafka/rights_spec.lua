-- A user of a real Kafka who may not do everything: what is missing is said, and goes on by itself
-- once it is there.

local application = require("spec.support.application")
local broker = require("spec.support.broker")
local clients = require("spec.support.kafka_client")
local secure = require("spec.support.kafka_secure")
local unit = require("unit")

local USER = "bob"

-- How soon a right is noticed that was missing.
local REFRESH = { ["topic.metadata.refresh.interval.ms"] = 500 }

local NOTE = [[
local journal = require("journal")
return function(event, context)
  journal.record(context)
end
]]

local PUBLISH = [[
local out = require("lagoon").producer("out")
return function(event)
  out:publish("Event", event)
end
]]

describe("On Kafka, without the right", function()
  local rig, client

  setup(function()
    rig, client = secure.shared(), clients.shared()
  end)

  local function allow(resource, name, ...)
    client:allow(rig.brokers, USER, resource, name, { ... })
  end

  local function new_topic(...)
    local topic = broker.unique("guarded")
    assert(unit.kafka.create_topic(rig.brokers, topic, 1))
    if ... then
      allow("TOPIC", topic, ...)
    end
    return topic
  end

  local function new_group(...)
    local group = broker.unique("group")
    if ... then
      allow("GROUP", group, ...)
    end
    return group
  end

  local function start(config, handler)
    config.cluster = { brokers = rig.listeners.LOGIN, tls = { ca_file = rig.ca },
      sasl = secure.login("PLAIN", { username = USER }) }
    local app = application.new(nil, config, { ["handlers/event"] = handler })
    return app, app:start({ "run" })
  end

  local function produce(topic)
    assert(unit.kafka.produce(rig.brokers, topic, { key = "k", value = "{}",
      headers = { { "Message-Type", "Event" } } }))
  end

  ---A consumer that is told `pattern`, and handles its record once it may.
  local function check_consumer(topic, group, pattern, give)
    local app, lagoon = start({ consumers = {
      reader = { topic = topic, group = group, properties = REFRESH,
        handlers = { Event = "handlers.event" } },
    } }, NOTE)
    produce(topic)
    lagoon:wait_log(pattern)
    assert.same({}, app:journal())
    give()
    app:wait_journal(1, {}, 60000)
    assert.equal(0, lagoon:stop())
  end

  it("to a topic a consumer says so, and reads it once it may", function()
    local topic = new_topic()
    check_consumer(topic, new_group("READ"), '^no right to read topic "' .. topic:gsub("%p", "%%%0")
      .. '"$', function()
      allow("TOPIC", topic, "READ")
    end)
  end)

  it("to more than look at a topic a consumer says so, and reads it once it may", function()
    local topic = new_topic("DESCRIBE")
    check_consumer(topic, new_group("READ"), "^consumer reader: offsets could not be committed, "
      .. 'will try again: no right to read topic "' .. topic:gsub("%p", "%%%0") .. '"$', function()
      allow("TOPIC", topic, "READ")
    end)
  end)

  it("to its group a consumer says so, and joins it once it may", function()
    local group = new_group()
    check_consumer(new_topic("READ"), group, "^no right to read as this group$", function()
      allow("GROUP", group, "READ")
    end)
  end)

  ---A consumer whose handler publishes to a topic that the user may only look at.
  local function start_publishing()
    local topic, out = new_topic("READ"), new_topic("DESCRIBE")
    local _, lagoon = start({ producers = { out = { topic = out } }, consumers = {
      reader = { topic = topic, group = new_group("READ"), on_error = "stop",
        handlers = { Event = "handlers.event" } },
    } }, PUBLISH)
    produce(topic)
    return lagoon, out
  end

  it("to write anywhere the process ends, with a code of its own, and says what Kafka wants",
    function()
      local lagoon = start_publishing()
      local words = "no right to write; Kafka wants WRITE on some topic, or IDEMPOTENT_WRITE on "
        .. "the cluster"
      lagoon:wait_log("^producer out: " .. words .. "; the process stops$")
      assert.matches("given up because the producer is lost: " .. words,
        lagoon:wait_log("^consumer reader: a record failed").reason, 1, true)
      assert.equal(6, (lagoon.process:wait_exit(20000)))
    end)

  it("to write to a topic a record fails with the handler that publishes there", function()
    new_topic("WRITE")
    local lagoon, out = start_publishing()
    local line = lagoon:wait_log("^consumer reader: a record failed")
    assert.matches(('no right to write to topic "%s"'):format(out), line.reason, 1, true)
    assert.equal(0, lagoon:stop())
  end)

  it("to a declared topic the start is given up, with a code of its own", function()
    for topic, what in pairs({ [new_topic()] = "looked at", [broker.unique("new")] = "created" }) do
      if what == "created" then
        allow("TOPIC", topic, "DESCRIBE")
      end
      local _, lagoon = start({ topics = { [topic] = { partitions = 1 } },
        producers = { out = { topic = topic } } }, NOTE)
      assert.equal(6, (lagoon.process:wait_exit(20000)))
      local line = lagoon:log(nil, { level = "error" })[1]
      assert.equal(('topic "%s" cannot be %s: no right to do so'):format(topic, what),
        line.message)
    end
  end)
end)

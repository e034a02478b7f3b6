-- Records of 10 MB, and what is said of those that are larger than somebody allows.

local application = require("spec.support.application")
local broker = require("spec.support.broker")
local clients = require("spec.support.kafka_client")
local kafka = require("spec.support.kafka")
local unit = require("unit")
local wait = require("spec.support.wait")

local MAX_RECORD = 10 * 1024 * 1024
-- A batch is its records and less than 1 KiB.
local MAX_BATCH = MAX_RECORD + 1024
local UUID = 36
local AROUND_TEXT = #'{"text":""}'
local DEADLINE_MS = 30000

local ECHO = [[
local journal = require("journal")
local lagoon = require("lagoon")
local echo = lagoon.producer("echo")

return function(event, context)
  journal.record(context, { bytes = #context:raw() })
  echo:publish("Event", { text = event.text .. ("x"):rep(event.more or 0) })
end
]]

-- Nothing compresses here, so that sizes are what they are.
local PLAIN = { ["compression.type"] = "none", ["max.request.size"] = 2 * MAX_RECORD,
  ["buffer.memory"] = 4 * MAX_RECORD }

---Letters that do not repeat themselves soon.
local function text(length)
  local block = {}
  for i = 1, 65536 do
    block[i] = string.char(97 + (i * 7919 + i // 26) % 26)
  end
  return (table.concat(block)):rep(length // 65536 + 1):sub(1, length)
end

describe("On Kafka a record", function()
  local brokers, client

  setup(function()
    brokers = kafka.shared().brokers
    client = clients.shared()
  end)

  local function new_topic(max_bytes)
    local topic = broker.unique("large")
    assert(unit.kafka.create_topic(brokers, topic, 1, 1, { ["max.message.bytes"] = max_bytes }))
    wait.till("topic " .. topic, DEADLINE_MS, function()
      return unit.kafka.partitions(brokers, topic) == 1
    end)
    return topic
  end

  ---An application that hands on what comes, with room for 10 MB everywhere.
  local function start(echo_max_bytes, properties)
    local topics = { new_topic(2 * MAX_RECORD), new_topic(echo_max_bytes or 2 * MAX_RECORD) }
    local app = application.new(brokers, {
      producers = { echo = { topic = topics[2], properties = {
        ["message.max.bytes"] = MAX_BATCH, ["compression.type"] = "none" } } },
      consumers = { reader = { topic = topics[1], group = topics[1], max_record = "10MiB",
        properties = properties, on_error = "stop", on_invalid = "stop",
        handlers = { Event = "handlers.echo" } } },
    }, { ["handlers/echo"] = ECHO })
    return topics, app, app:start({ "run" })
  end

  local function produce(topic, value)
    assert(client:produce(brokers, topic, { { key = "k", value = value,
      headers = { { "Message-Type", "Event" } } } }, { properties = PLAIN }))
  end

  local function of_size(bytes)
    return ('{"text":"%s"}'):format(text(bytes - AROUND_TEXT))
  end

  it("of 10 MiB is read, handled and published, with max_record and message.max.bytes raised",
    function()
      local topics, app, lagoon = start()
      local value = of_size(MAX_RECORD)
      produce(topics[1], value)
      assert.equal(MAX_RECORD, app:wait_journal(1, {}, DEADLINE_MS)[1].bytes)
      local echoed = client:consume(brokers, topics[2], 1)[1]
      assert.is_true(echoed.value == value)
      assert.equal(0, lagoon:stop())
    end)

  it("a byte larger than max_record stops its partition, and the line says both", function()
    local topics, app, lagoon = start()
    produce(topics[1], of_size(MAX_RECORD + 1))
    local line = lagoon:wait_log("^consumer reader: a record failed", nil, DEADLINE_MS)
    assert.equal(("the value has %d bytes, max_record is %d"):format(MAX_RECORD + 1, MAX_RECORD),
      line.reason)
    assert.same({}, app:journal())
    assert.equal(0, lagoon:stop())
  end)

  it("that the producer may not send raises in publish, and names the property", function()
    local topics, _, lagoon = start()
    produce(topics[1], ('{"text":"","more":%d}'):format(MAX_RECORD + 1024))
    local line = lagoon:wait_log("^consumer reader: a record failed", nil, DEADLINE_MS)
    local bytes = UUID + AROUND_TEXT + MAX_RECORD + 1024
    assert.matches(("a record of %d bytes for topic \"%s\" is too large; message.max.bytes in the "
      .. "producer's properties sets the limit"):format(bytes, topics[2]), line.reason, 1, true)
    assert.equal(0, lagoon:stop())
  end)

  it("that the topic does not take stops its source's partition, and names the setting", function()
    local topics, _, lagoon = start(MAX_RECORD // 2)
    produce(topics[1], of_size(MAX_RECORD))
    local line = lagoon:wait_log("^consumer reader: a record failed", nil, DEADLINE_MS)
    assert.matches(('larger than max.message.bytes of topic "%s" allows'):format(topics[2]),
      line.reason, 1, true)
    assert.equal(0, lagoon:stop())
  end)

  it("that an answer has no room for is said, and which property makes it", function()
    local topics, _, lagoon = start(nil, { ["receive.message.max.bytes"] = 5000000 })
    produce(topics[1], of_size(MAX_RECORD))
    lagoon:wait_log("^the broker at [%d.:]+ answers with %d+ bytes, more than "
      .. "receive%.message%.max%.bytes allows$", { handle = "consumer reader" }, DEADLINE_MS)
    assert.equal(0, lagoon:stop())
  end)
end)

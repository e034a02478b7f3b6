-- The cases of KafkaFlow's integration tests, so that its users find theirs here. Kafka's own
-- client writes what theirs would.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local clients = require("spec.support.kafka_client")
local wait = require("spec.support.wait")

local NOTE = [[
local journal = require("journal")
return function(event, context)
  journal.record(context, { handler = %q, n = event.n, consumer = context.consumer,
    type = context.type })
end
]]

local SLOW = [[
local journal = require("journal")
local lagoon = require("lagoon")
return function(event, context)
  journal.record(context, { n = event.n })
  lagoon.sleep((6 - event.n) / 100)
  journal.record(context, { n = event.n })
end
]]

-- The seven share one table of properties, as programs share one object.
local CONFIG = [[
local properties = { ["session.timeout.ms"] = 6000, ["client.id"] = "shared" }
local consumers = {
  types = {
    topic = "@TYPES@", group = "@TYPES@", properties = properties,
    handlers = { First = "handlers.first", Second = "handlers.second" },
  },
  topics = {
    topics = { "@ONE@", "@OTHER@" }, group = "@ONE@", properties = properties,
    handlers = { First = "handlers.first" },
  },
  kafkaflow = {
    topic = "@KAFKAFLOW@", group = "@KAFKAFLOW@", properties = properties,
    handlers = {
      TestMessage1 = "handlers.first", ["Other.Messages.TestMessage2, Other"] = "handlers.second",
      TestMessage2 = "handlers.third",
    },
  },
  fields = {
    topic = "@FIELDS@", group = "@FIELDS@", properties = properties, type_field = "kind",
    handlers = { First = "handlers.first", Second = "handlers.second" },
  },
  versions = {
    topic = "@VERSIONS@", group = "@VERSIONS@", properties = properties, workers = 10,
    handlers = { First = "handlers.slow" },
  },
}
for i = 1, 7 do
  consumers["seven-" .. i] = {
    topic = "@SEVEN@", group = "@SEVEN@-" .. i, properties = properties,
    handlers = { First = "handlers.first" },
  }
end
return { cluster = { brokers = "@BROKERS@" }, consumers = consumers }
]]

local function of_type(name, fields)
  fields.headers = { { "Message-Type", name } }
  return fields
end

---So many records {"n":1}, {"n":2}, ...
local function numbered(type_name, count, key)
  local records = {}
  for n = 1, count do
    records[n] = of_type(type_name, { key = key or "key " .. n, value = ('{"n":%d}'):format(n) })
  end
  return records
end

local function numbers(entries)
  local list = {}
  for i, entry in ipairs(entries) do
    list[i] = math.tointeger(entry.n)
  end
  return list
end

describe("By the cases of KafkaFlow's tests, on what Kafka's own client writes,", function()
  local broker, client, app
  local topics = {}

  local function produce(topic, records, options)
    assert(client:produce(broker.brokers, topic, records, options))
  end

  setup(function()
    broker = brokers.start()
    client = clients.shared()
    local names = { BROKERS = broker.brokers }
    for name, partitions in pairs({ types = 2, one = 2, other = 2, versions = 4, seven = 1,
      kafkaflow = 1, fields = 1 }) do
      topics[name] = broker:new_topic(name, partitions)
      names[name:upper()] = topics[name]
    end
    app = application.new(broker.brokers, CONFIG:gsub("@(%u+)@", names), {
      ["handlers/first"] = NOTE:format("first"),
      ["handlers/second"] = NOTE:format("second"),
      ["handlers/third"] = NOTE:format("third"),
      ["handlers/slow"] = SLOW,
    })
    local lagoon = app:start({ "run" })
    for _, consumer in ipairs({ "types", "topics", "kafkaflow", "fields", "versions", "seven-1",
      "seven-7" }) do
      lagoon:wait_assigned(consumer)
    end
  end)

  it("two types of one topic go to two handlers", function()
    produce(topics.types, numbered("First", 5))
    produce(topics.types, numbered("Second", 5))
    app:wait_journal(10, { consumer = "types" })
    assert.equal(5, #app:journal({ consumer = "types", handler = "first" }))
    assert.equal(5, #app:journal({ consumer = "types", handler = "second" }))
  end)

  it("its own type names of .NET find their handlers, the whole name first", function()
    for type_name, handler in pairs({
      ["KafkaFlow.IntegrationTests.Core.Messages.TestMessage1, KafkaFlow.IntegrationTests"] =
        "first",
      ["KafkaFlow.IntegrationTests.Core.Messages.TestMessage2, KafkaFlow.IntegrationTests"] =
        "third",
      ["Other.Messages.TestMessage2, Other"] = "second",
    }) do
      produce(topics.kafkaflow, { of_type(type_name, { key = type_name, value = "{}" }) })
      local entry = app:wait_journal(1, { key = type_name })[1]
      assert.equal(handler, entry.handler)
      assert.equal(type_name, entry.type)
    end
  end)

  it("events without a header find theirs by a field", function()
    produce(topics.fields, { { value = '{"kind":"Second","n":1}' },
      { value = '{"kind":"First","n":2}' } })
    app:wait_journal(2, { consumer = "fields" })
    assert.same({ 1 }, numbers(app:journal({ consumer = "fields", handler = "second" })))
    assert.same({ 2 }, numbers(app:journal({ consumer = "fields", handler = "first" })))
  end)

  it("one consumer reads two topics", function()
    produce(topics.one, numbered("First", 5))
    produce(topics.other, numbered("First", 7))
    app:wait_journal(12, { consumer = "topics" })
    assert.equal(5, #app:journal({ consumer = "topics", topic = topics.one }))
    assert.equal(7, #app:journal({ consumer = "topics", topic = topics.other }))
  end)

  it("five versions of one key are handled in order by one of ten workers at a time", function()
    produce(topics.versions, numbered("First", 5, "one key"), { is_awaited = true })
    local seen = app:wait_journal(10, { topic = topics.versions })
    assert.same({ 1, 1, 2, 2, 3, 3, 4, 4, 5, 5 }, numbers(seen))
  end)

  it("seven consumers with one table of properties keep their own groups", function()
    produce(topics.seven, numbered("First", 3, "one key"))
    app:wait_journal(21, { topic = topics.seven })
    for i = 1, 7 do
      assert.same({ 1, 2, 3 }, numbers(app:journal({ consumer = "seven-" .. i })))
      wait.till("the commit of group " .. i, 10000, function()
        local committed = broker:committed(topics.seven .. "-" .. i, topics.seven, 1)
        return committed[0] == 3, committed[0]
      end)
    end
  end)
end)

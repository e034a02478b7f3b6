-- What handlers publish, as kcat reads it.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

-- Each example publishes something else; its handler is named like the example.
local EXAMPLES = [[
local journal = require("journal")
local lagoon = require("lagoon")

local producer = lagoon.producer("out")
local bare = lagoon.producer("bare")

local M = {}

M["key field"] = function() return producer:publish("Sent", { order = { id = "o-1" } }) end
M["integer key field"] = function() return producer:publish("Sent", { order = { id = 42 } }) end
M["option over field"] = function()
  return producer:publish("Sent", { order = { id = "o-1" } }, { key = "o-2" })
end
M["no key"] = function() return producer:publish("Sent", { order = {} }) end
M["null key"] = function()
  return producer:publish("Sent", { order = { id = "o-1" } }, { key = lagoon.null })
end
M["empty key"] = function() return producer:publish("Sent", {}, { key = "" }) end
M["NUL key"] = function() return producer:publish("Sent", {}, { key = "a\0b" }) end
M["header map"] = function()
  return producer:publish("Sent", {}, { key = "k", headers = { trace = "t-1" } })
end
M["header list"] = function()
  local headers = { { "twice", "one" }, { "twice", "two" }, { "null", lagoon.null },
    { "empty", "" }, { "number", 7 } }
  for i = 1, 94 do
    headers[#headers + 1] = { "name-" .. i, "value " .. i }
  end
  return producer:publish("Sent", {}, { key = "k", headers = headers })
end
M["no type header"] = function() return bare:publish("Sent", { n = 1 }, { key = "k" }) end
M["place"] = function(topic)
  return producer:publish("Sent", {}, { key = "k", topic = topic, partition = 2,
    timestamp = 1234567890123 })
end
M["tombstone"] = function() return producer:publish("Sent", nil, { key = "gone" }) end
M["exact"] = function()
  return producer:publish("Sent", { n = 9007199254740993, list = lagoon.json.array({}),
    nothing = {}, null = lagoon.null, float = 0.1 }, { key = "k" })
end
M["large"] = function()
  return producer:publish("Sent", { text = ("x"):rep(1000000) }, { key = "k" })
end

return function(event)
  local ok, partition, offset = pcall(function()
    return M[event.example](event.topic):await()
  end)
  journal.note({ number = event.number, failure = not ok and partition or nil,
    partition = ok and partition or nil, offset = offset })
end
]]

describe("publish", function()
  local broker, app, lagoon, commands, out, other
  local commanded = 0

  setup(function()
    broker = brokers.start()
    commands = broker:new_topic("commands", 1)
    out = broker:new_topic("out", 3)
    other = broker:new_topic("other", 3)
    app = application.new(broker.brokers, {
      producers = {
        out = { topic = out, key_field = "order.id" },
        bare = { topic = out, type_header = false },
      },
      consumers = {
        commands = { topic = commands, group = brokers.unique("commands"),
          handlers = { Example = "handlers.example" } },
      },
    }, { ["handlers/example"] = EXAMPLES })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("commands")
  end)

  ---The record that the example published, where its delivery said it is.
  local function published(example)
    commanded = commanded + 1
    broker:produce(commands, { { key = "k", value = ('{"example":"%s","topic":"%s","number":%d}')
      :format(example, other, commanded) } }, { headers = { { "Message-Type", "Example" } } })
    local told = app:wait_journal(1, { number = commanded })[1]
    assert.is_nil(told.failure)
    local topic = example == "place" and other or out
    return broker:consume(topic, { partition = told.partition, from = told.offset, count = 1 })[1]
  end

  it("takes the key from the event's field, and from the option before that", function()
    assert.equal("o-1", published("key field").key)
    assert.equal("42", published("integer key field").key)
    assert.equal("o-2", published("option over field").key)
  end)

  it("gives an event without its key field a fresh UUID, and says so once", function()
    local uuid = "^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$"
    local first, second = published("no key").key, published("no key").key
    assert.matches(uuid, first)
    assert.equal(36, #first)
    assert.not_equal(first, second)
    assert.equal(1, #lagoon:log("an event has no 'order.id'; its key is a fresh UUID"))
  end)

  it("writes a null key, an empty one, and one with a NUL byte", function()
    assert.is_nil(published("null key").key)
    assert.equal("", published("empty key").key)
    assert.equal("a\0b", published("NUL key").key)
  end)

  it("writes the type as a header, or none when the producer says so", function()
    assert.same({ { "Message-Type", "Sent" } }, published("key field").headers)
    assert.same({}, published("no type header").headers)
  end)

  it("writes headers of a map", function()
    assert.same({ { "Message-Type", "Sent" }, { "trace", "t-1" } }, published("header map").headers)
  end)

  it("writes headers of a list in their order, a hundred of them, also of one name", function()
    local headers = published("header list").headers
    assert.equal(100, #headers)
    assert.same({ { "Message-Type", "Sent" }, { "twice", "one" }, { "twice", "two" }, { "null" },
      { "empty", "" }, { "number", "7" } }, table.move(headers, 1, 6, 1, {}))
    for i = 1, 94 do
      assert.same({ "name-" .. i, "value " .. i }, headers[i + 6])
    end
  end)

  it("writes to the topic, the partition and with the time that it is told", function()
    local record = published("place")
    assert.equal(other, record.topic)
    assert.equal(2, record.partition)
    assert.equal(1234567890123, record.timestamp)
  end)

  it("writes a tombstone for a nil event", function()
    local record = published("tombstone")
    assert.equal("gone", record.key)
    assert.is_nil(record.value)
  end)

  it("writes integers exactly, empty arrays as arrays and nulls as null", function()
    local value = published("exact").value
    for _, part in ipairs({ '"n":9007199254740993', '"list":[]', '"nothing":{}', '"null":null',
      '"float":0.1' }) do
      assert.is_truthy(value:find(part, 1, true), value)
    end
  end)

  it("writes a value of a million bytes byte for byte", function()
    assert.is_true(published("large").value == '{"text":"' .. ("x"):rep(1000000) .. '"}')
  end)
end)

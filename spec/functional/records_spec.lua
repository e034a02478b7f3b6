-- What handlers see of records that others wrote.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local unit = require("unit")

local HANDLER = [[
local journal = require("journal")
local lagoon = require("lagoon")

local function hex_or_null(value)
  return value == lagoon.null and "null" or journal.hex(value)
end

return function(event, context)
  local headers = {}
  for i, header in ipairs(context:headers()) do
    headers[i] = journal.hex(header[1]) .. "=" .. hex_or_null(header[2])
  end
  journal.record(context, {
    example = context:header("example"),
    event = event == nil and "nil" or type(event),
    integer = type(event) == "table" and math.type(event.n) == "integer" and ("%d"):format(event.n)
      or nil,
    key = journal.hex(context.key),
    has_key = context.key ~= nil,
    raw = journal.hex(context:raw()),
    has_raw = context:raw() ~= nil,
    headers = headers,
    last = journal.hex(context:header("twice")),
    is_absent = context:header("no such header") == nil,
    type = context.type,
    timestamp = context.timestamp,
    attempt = context.attempt,
    consumer = context.consumer,
    group = context.group,
    generation = context.generation,
  })
end
]]

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

describe("a handler", function()
  local broker, app, lagoon, topic, group

  -- Partition 0 is for what can be handled, each of the others for one record that stops it.
  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("records", 4)
    group = brokers.unique("records")
    app = application.new(broker.brokers, {
      consumers = {
        reader = { topic = topic, group = group, max_record = 1020000, on_invalid = "stop",
          handlers = { Seen = "handlers.seen" } },
      },
    }, { ["handlers/seen"] = HANDLER })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("reader")
  end)

  local function headers_of(example, more)
    local headers = { { "Message-Type", "Seen" }, { "example", example } }
    return table.move(more or {}, 1, #(more or {}), 3, headers)
  end

  ---What the handler saw of a record that kcat writes.
  local function see(example, record, headers)
    broker:produce(topic, { record }, { partition = 0, headers = headers_of(example, headers) })
    return app:wait_journal(1, { example = example })[1]
  end

  ---The same for what kcat cannot write: a value with every byte, other nulls beside empty strings.
  local function see_raw(example, record, headers)
    record.partition = 0
    record.headers = headers_of(example, headers)
    assert(unit.kafka.produce(broker.brokers, topic, record))
    return app:wait_journal(1, { example = example })[1]
  end

  it("gets the event, the record's place and where it runs", function()
    local seen = see("plain", { key = "order-1", value = '{"n":7}' })
    assert.equal("table", seen.event)
    assert.equal("7", seen.integer)
    assert.equal(hex("order-1"), seen.key)
    assert.equal(hex('{"n":7}'), seen.raw)
    assert.equal("Seen", seen.type)
    assert.equal(topic, seen.topic)
    assert.equal(0, seen.partition)
    assert.equal(1, seen.attempt)
    assert.equal("reader", seen.consumer)
    assert.equal(group, seen.group)
    assert.equal(1, seen.generation)
    assert.is_true(math.abs(seen.timestamp - seen.at) < 60000)
    local last = broker:consume(topic, { partition = 0, from = seen.offset, count = 1 })[1]
    assert.equal(seen.timestamp, last.timestamp)
    assert.equal('{"n":7}', last.value)
  end)

  it("sees a null key as nil and an empty key as an empty string", function()
    assert.is_false(see("null key", { value = "{}" }).has_key)
    local empty = see("empty key", { key = "", value = "{}" })
    assert.is_true(empty.has_key)
    assert.equal("", empty.key)
  end)

  it("gets a key with a NUL byte whole", function()
    assert.equal(hex("a\0b\0"), see_raw("NUL", { key = "a\0b\0", value = "{}" }).key)
  end)

  it("gets a nil event for a tombstone, and no raw value", function()
    local seen = see("tombstone", { key = "gone" })
    assert.equal("nil", seen.event)
    assert.is_false(seen.has_raw)
    assert.equal(hex("gone"), seen.key)
  end)

  it("gets any JSON value as its event", function()
    assert.equal("string", see("string", { key = "k", value = '"text"' }).event)
    assert.equal("number", see("number", { key = "k", value = "1" }).event)
    assert.equal("boolean", see("boolean", { key = "k", value = "false" }).event)
  end)

  it("reads integers beyond 2^53 exactly", function()
    local seen = see("integer", { key = "k", value = '{"n":9007199254740993}' })
    assert.equal("9007199254740993", seen.integer)
    seen = see("lowest integer", { key = "k", value = '{"n":-9223372036854775808}' })
    assert.equal("-9223372036854775808", seen.integer)
  end)

  it("gets a value of a million bytes byte for byte", function()
    local bytes = {}
    for i = 1, 999998 do
      bytes[i] = string.char(33 + i * 31 % 2)
    end
    local value = '"' .. table.concat(bytes):gsub('"', "#") .. '"'
    local seen = see("large", { key = "k", value = value })
    assert.equal(1000000, #value)
    assert.is_true(hex(value) == seen.raw)
    assert.equal("string", seen.event)
  end)

  it("gets a hundred headers in their order", function()
    local headers, expected = {}, { hex("Message-Type") .. "=" .. hex("Seen"),
      hex("example") .. "=" .. hex("hundred") }
    for i = 1, 98 do
      headers[i] = { "name-" .. i % 10, "value " .. i }
      expected[i + 2] = hex(headers[i][1]) .. "=" .. hex(headers[i][2])
    end
    assert.same(expected, see("hundred", { key = "k", value = "{}" }, headers).headers)
  end)

  it("gets each of several headers of one name, null values and bytes that are no text", function()
    local seen = see_raw("odd headers", { key = "k", value = "{}" },
      { { "twice", "one" }, { "twice", "\0\255" }, { "null" }, { "empty", "" } })
    assert.same({ hex("twice") .. "=" .. hex("one"), hex("twice") .. "=00ff",
      hex("null") .. "=null", hex("empty") .. "=" }, table.move(seen.headers, 3, 6, 1, {}))
    assert.equal("00ff", seen.last)
    assert.is_true(seen.is_absent)
  end)

  ---The line about the record that stops a partition.
  local function stop(partition, record, headers)
    record.partition = partition
    record.headers = headers
    assert(unit.kafka.produce(broker.brokers, topic, record))
    return lagoon:wait_log("a record failed", { partition = partition })
  end

  it("never sees an empty value: that is not JSON and stops the partition", function()
    local line = stop(1, { key = "k", value = "" }, headers_of("empty value"))
    assert.equal("error", line.level)
    assert.matches("^the value is not JSON: ", line.reason)
    assert.equal(0, #app:journal({ example = "empty value" }))
  end)

  it("never sees a value larger than max_record", function()
    local line = stop(2, { key = "k", value = '"' .. ("x"):rep(1020000) .. '"' },
      headers_of("too large"))
    assert.equal("the value has 1020002 bytes, max_record is 1020000", line.reason)
    assert.equal(0, #app:journal({ example = "too large" }))
  end)

  it("never sees a record without a type", function()
    local line = stop(3, { key = "k", value = "{}" }, { { "message-type", "Seen" } })
    assert.equal("the record has no type: no header 'Message-Type' and no field 'type'",
      line.reason)
  end)
end)

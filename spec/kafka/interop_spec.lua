-- Kafka's own client on the other side: what it writes is handled, what lagoon writes it reads.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local clients = require("spec.support.kafka_client")

local DOCUMENTS = {
  '{}',
  '{"id":1,"name":"a","is_active":true,"is_gone":false}',
  '{"integers":[0,-1,9007199254740993,9223372036854775807,-9223372036854775808]}',
  '{"floats":[0.5,-2.25,1e300,5e-324,123456789.123456789]}',
  '{"total":1.0,"count":1}',
  '{"text":"Gr\u{fc}\u{df}e \u{65e5}\u{672c} \u{1f600} \\"quoted\\" \\\\ \\n\\t\\u0000\\u001f"}',
  '{"empty":{"list":[],"object":{},"text":""}}',
  '{"deep":[[[{"a":[{"b":[1,[2,[3]]]}]}]]]}',
  '{"id":"b59ba4ef-2a42-4f2c-9a1f-1c5d5d2b8f47","created_at":"2024-02-29T23:59:60.000Z"}',
  '{"list":[{"sku":"x","n":1},{"sku":"y","n":2}],"":"the empty key","\u{fc}":"another"}',
}

local ECHO = [[
local journal = require("journal")
local lagoon = require("lagoon")
local echo = lagoon.producer("echo")

return function(event, context)
  journal.record(context, { type = context.type, is_tombstone = event == nil,
    has_key = context.key ~= nil })
  if event ~= nil then
    echo:publish(context.type, event, { key = context.key or lagoon.null })
  end
end
]]

local function of_type(name, fields)
  fields.headers = { { "Message-Type", name } }
  return fields
end

describe("Kafka's own client and lagoon", function()
  local broker, client

  setup(function()
    broker = brokers.start()
    client = clients.shared()
  end)

  local function produce(topic, records, options)
    assert(client:produce(broker.brokers, topic, records, options))
  end

  describe("by a handler that publishes what it got", function()
    local topic, echo, app

    setup(function()
      topic, echo = broker:new_topic("in", 3), broker:new_topic("echo", 3)
      app = application.new(broker.brokers, {
        producers = { echo = { topic = echo } },
        consumers = {
          echo = { topic = topic, group = topic, handlers = { Document = "handlers.echo" } },
        },
      }, { ["handlers/echo"] = ECHO })
      app:start({ "run" }):wait_assigned("echo")
    end)

    it("say the same in JSON, both ways", function()
      local records, by_key, texts = {}, {}, {}
      for i, document in ipairs(DOCUMENTS) do
        records[i] = of_type("Document", { key = "document " .. i, value = document })
      end
      produce(topic, records)
      for _, record in ipairs(client:consume(broker.brokers, echo, #DOCUMENTS)) do
        assert.same({ { "Message-Type", "Document" } }, record.headers)
        by_key[record.key] = record.value
      end
      local same = {}
      for i, document in ipairs(DOCUMENTS) do
        texts[i], same[i] = { document, by_key["document " .. i] }, true
      end
      assert.same(same, client:compare(texts))
      assert.same({ false, true }, client:compare({ { "[1,2]", "[2,1]" }, { '{"a":1, "b":2}',
        '{"b":2,"a":1}' } }))
    end)

    it("hand over null values and null keys", function()
      produce(topic, { of_type("Document", { key = "no value", partition = 0 }) })
      local tombstone = app:wait_journal(1, { key = "no value" })[1]
      assert.is_true(tombstone.is_tombstone)
      assert.is_true(tombstone.has_key)
      produce(topic, { of_type("Document", { value = '{"key":null,"n":1}', partition = 0 }) })
      app:wait_journal(1, { has_key = false })
      local records = client:consume(broker.brokers, echo, #DOCUMENTS + 1)
      local without_key = {}
      for _, record in ipairs(records) do
        if record.key == nil then
          table.insert(without_key, record.value)
        end
      end
      assert.same({ '{"n":1}' }, without_key)
    end)
  end)

  describe("on what `lagoon publish` writes", function()
    local LINES = '{"id":"a","n":1}\n{"id":"b","n":2}\n{"n":3}\n'

    local function publish(topic, producer, input, headers)
      producer.topic = topic
      local app = application.new(broker.brokers, { producers = { out = producer } })
      local arguments = { "publish", "out", "Created" }
      for _, header in ipairs(headers or {}) do
        table.insert(arguments, "--header")
        table.insert(arguments, header)
      end
      local published = app:run(arguments, { input = input })
      assert.equal(0, published.process.code, published.process:tail())
    end

    it("sees the event as it stands, its key, its type and its headers", function()
      local topic = broker:new_topic("published", 1)
      publish(topic, { key_field = "id" }, LINES, { "tenant=z\u{fc}rich" })
      local records = client:consume(broker.brokers, topic, 3)
      local values, keys = {}, {}
      for i, record in ipairs(records) do
        values[i], keys[i] = record.value, record.key
        assert.same({ { "Message-Type", "Created" }, { "tenant", "z\u{fc}rich" } }, record.headers)
      end
      assert.equal(LINES, table.concat(values, "\n") .. "\n")
      assert.same({ "a", "b" }, { keys[1], keys[2] })
      assert.matches("^%x+%-%x+%-4%x+%-%x+%-%x+$", keys[3])
    end)

    it("finds a key in the partition where it would write it, by partitioner = murmur2_random",
      function()
        local topic = broker:new_topic("partitioned", 16)
        local records, lines = {}, {}
        for i = 1, 50 do
          records[i] = { key = "order-" .. i, value = "{}" }
          lines[i] = ('{"id":"order-%d"}\n'):format(i)
        end
        produce(topic, records)
        publish(topic, { key_field = "id", properties = { partitioner = "murmur2_random" } },
          table.concat(lines))
        local partitions = {}
        for _, record in ipairs(client:consume(broker.brokers, topic, 100)) do
          partitions[record.key] = partitions[record.key] or record.partition
          assert.equal(partitions[record.key], record.partition, record.key)
        end
      end)
  end)
end)

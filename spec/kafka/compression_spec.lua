-- Every compression that Kafka knows, written by lagoon and by Kafka's client, read by the other.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local clients = require("spec.support.kafka_client")
local kafka = require("spec.support.kafka")
local wait = require("spec.support.wait")

local CODECS = { "none", "gzip", "snappy", "lz4", "zstd" }
local COUNT = 200

local NOTE = [[
local journal = require("journal")
return function(event, context)
  journal.record(context, { n = event.n, text = event.text })
end
]]

-- Compresses well, so that nobody sends it as it is.
local TEXT = ("compressed "):rep(20)

---The values {"n":1,"text":"..."}, ...
local function values()
  local list = {}
  for n = 1, COUNT do
    list[n] = ('{"n":%d,"text":"%s"}'):format(n, TEXT)
  end
  return list
end

---How the batches of the topic's one partition are compressed, each way once.
local function codecs_of(topic)
  return wait.till("what the broker stores", 10000, function()
    local found = kafka.shared():codecs(topic)
    return #found > 0 and found
  end)
end

describe("On Kafka, compression", function()
  local broker, client

  setup(function()
    broker = brokers.start()
    client = clients.shared()
  end)

  ---Publishes all values; returns the topic.
  local function publish(codec)
    local topic = broker:new_topic("compressed", 1)
    local properties = { ["compression.type"] = codec, ["linger.ms"] = 50 }
    local app = application.new(broker.brokers,
      { producers = { out = { topic = topic, properties = properties } } })
    local published = app:run({ "publish", "out", "Event" },
      { input = table.concat(values(), "\n") .. "\n" })
    assert.equal(0, published.process.code, published.process:tail())
    return topic
  end

  local function check_read_by_client(topic)
    local expected = values()
    for i, record in ipairs(client:consume(broker.brokers, topic, COUNT)) do
      assert.equal(expected[i], record.value)
    end
  end

  for _, codec in ipairs(CODECS) do
    it(codec .. " of lagoon's producer is stored as such and read by Kafka's client", function()
      local topic = publish(codec)
      assert.same({ codec }, codecs_of(topic))
      check_read_by_client(topic)
    end)
  end

  it("is lz4 when nobody says otherwise", function()
    local topic = publish(nil)
    assert.same({ "lz4" }, codecs_of(topic))
    check_read_by_client(topic)
  end)

  it("of Kafka's client does not matter to a consumer, not even within a topic", function()
    local topic = broker:new_topic("compressed", 1)
    local app = application.new(broker.brokers, {
      consumers = { reader = { topic = topic, group = topic, distribution = "partition",
        handlers = { Event = "handlers.note" } } },
    }, { ["handlers/note"] = NOTE })
    for _, codec in ipairs(CODECS) do
      local records = {}
      for i, value in ipairs(values()) do
        records[i] = { value = value, headers = { { "Message-Type", "Event" } } }
      end
      assert(client:produce(broker.brokers, topic, records,
        { properties = { ["compression.type"] = codec, ["linger.ms"] = 50 } }))
    end
    assert.same(CODECS, codecs_of(topic))
    app:start({ "run" })
    for i, entry in ipairs(app:wait_journal(#CODECS * COUNT)) do
      assert.equal((i - 1) % COUNT + 1, entry.n)
      assert.equal(TEXT, entry.text)
    end
  end)
end)

-- Topics on a real Kafka: what cluster.h promises of them and the embedded broker cannot show.

local broker = require("spec.support.broker")
local cluster = require("unit").cluster
local directory = require("spec.support.directory")
local kafka = require("spec.support.kafka")
local log = require("unit").log
local producer = require("unit").producer
local scope = require("spec.support.scope")
local unit = require("unit")
local wait = require("spec.support.wait")

local DEADLINE_MS = 20000

---A handle for questions about topics: the text of a config's table of them, and of its producers.
local function new_query(topics, producers)
  local source = ('return { cluster = { brokers = "a:1" }, topics = { %s }, producers = { %s } }')
    :format(topics, producers or "")
  local path = directory.write(directory.with({}) .. "/config.lua", source)
  local query = cluster.query(path, kafka.shared().brokers)
  scope.defer(function()
    query:close()
  end)
  return query
end

local function declare(topic, text)
  return ('["%s"] = { %s }'):format(topic, text)
end

local function logged(act)
  return table.concat(log.capture("text", "info", act))
end

describe("a declared topic on a real Kafka", function()
  it("is created as declared, once, and said", function()
    local topic = broker.unique("declared")
    local query = new_query(declare(topic,
      'partitions = 7, replicas = 1, config = { ["max.message.bytes"] = 2000 }'))
    local text = logged(function()
      assert.equal("ready", (query:ensure(DEADLINE_MS)))
      assert.equal("ready", (query:ensure(DEADLINE_MS)))
    end)
    local sentence = ('topic "%s" created with 7 partitions and 1 replica'):format(topic)
    assert.equal(1, select(2, text:gsub(sentence:gsub("%p", "%%%0"), "")))
    assert.equal(7, unit.kafka.partitions(kafka.shared().brokers, topic))
    assert.is_false(query:is_embedded())

    local p = producer.new(kafka.shared().brokers, topic, {})
    local delivery = p:publish({ value = ("x"):rep(3000) })
    wait.till("the report", DEADLINE_MS, function()
      p:turn()
      return p:outstanding() == 0
    end)
    assert.same({ "refused", ('larger than max.message.bytes of topic "%s" allows'):format(topic) },
      { delivery:state() })
    delivery:release()
    p:close()
  end)

  it("is the only kind that is created: a producer's other topic is said to be missing", function()
    local topic, declared = broker.unique("missing"), broker.unique("declared")
    local query = new_query(declare(declared, "partitions = 1"),
      ("first = { topic = %q }, second = { topic = %q }"):format(declared, topic))
    local text = logged(function()
      assert.equal("ready", (query:ensure(DEADLINE_MS)))
    end)
    local sentence = 'producer second: topic "%s" does not exist, and is not declared'
    assert.matches(sentence:format(topic), text, 1, true)
    assert.not_matches("producer first", text, 1, true)
    assert.not_equal(1, unit.kafka.partitions(kafka.shared().brokers, topic))
  end)

  it("that exists differently is left as it is, and that is said once", function()
    local topic = broker.unique("different")
    assert.equal("ready", (new_query(declare(topic, "partitions = 3")):ensure(DEADLINE_MS)))
    local query = new_query(declare(topic, "partitions = 5"))
    local text = logged(function()
      assert.equal("ready", (query:ensure(DEADLINE_MS)))
      assert.equal("ready", (query:ensure(DEADLINE_MS)))
    end)
    assert.equal(1, select(2, text:gsub("has 3 partitions, declared are 5", "")))
    assert.equal(3, unit.kafka.partitions(kafka.shared().brokers, topic))
  end)

  it("with create = false is waited for", function()
    local topic = broker.unique("awaited")
    local query = new_query(declare(topic, "create = false"))
    local check, why = query:ensure(DEADLINE_MS)
    assert.equal("unreachable", check)
    assert.matches("does not exist", why)
    assert.equal("ready", (new_query(declare(topic, "partitions = 1")):ensure(DEADLINE_MS)))
    assert.equal("ready", (query:ensure(DEADLINE_MS)))
  end)

  it("with a setting that Kafka does not know is refused for good, with Kafka's reason", function()
    local query = new_query(declare(broker.unique("refused"), 'config = { ["retention.mz"] = 1 }'))
    local check, why = query:ensure(DEADLINE_MS)
    assert.equal("refused", check)
    assert.matches("cannot be created: .*retention%.mz", why)
  end)

  it("with more replicas than there are brokers is tried again, with Kafka's reason", function()
    local query = new_query(declare(broker.unique("replicated"), "replicas = 3"))
    local check, why = query:ensure(DEADLINE_MS)
    assert.equal("unreachable", check)
    assert.matches("cannot be created: .*only 1 broker", why)
  end)
end)

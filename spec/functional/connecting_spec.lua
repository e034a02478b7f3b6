-- Before there is a broker, before there is a topic.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local kcat = require("spec.support.kcat")
local lagoon = require("spec.support.lagoon")
local port = require("spec.support.port")
local unit = require("unit")
local uv = require("luv")
local wait = require("spec.support.wait")

local NOTES = [[
local journal = require("journal")
return function(_, context)
  journal.record(context, { consumer = context.consumer })
end
]]

local function new(address, config)
  for _, consumer in pairs(config.consumers or {}) do
    consumer.group = consumer.group or consumer.topic
    consumer.handlers = { Event = "handlers.notes" }
  end
  return application.new(address, config, { ["handlers/notes"] = NOTES })
end

local function produce(address, topic, count)
  local records = {}
  for i = 1, count or 1 do
    records[i] = { key = "key " .. i, value = "{}" }
  end
  kcat.produce(address, topic, records, { headers = { { "Message-Type", "Event" } } })
end

describe("lagoon run without a broker", function()
  local address, app, run

  setup(function()
    address = "127.0.0.1:" .. port.free()
    app = new(address, {
      topics = { late = { partitions = 1 } },
      consumers = { c = { topic = "late" } },
    })
    run = app:start({ "run" })
  end)

  it("says every few seconds that it waits, and why", function()
    local why = ("waiting for Kafka at %s: no broker answers at %s: connection refused")
      :format(address, address)
    local pattern = "^" .. why:gsub("%p", "%%%0") .. "$"
    wait.till("two lines", 15000, function()
      assert.is_true(run.process:is_running())
      return #run:log(pattern) >= 2
    end)
    assert.equal("warn", run:log(pattern)[1].level)
    assert.equal(#run:log(pattern), #run:log(nil, { level = "warn" }))
  end)

  local function start_broker()
    local broker = lagoon.start({ "broker", "--port", address:match("%d+$"), "--topic", "late:1" })
    broker:wait_for("^listening on ")
    return broker
  end

  it("starts working when the broker appears", function()
    local broker = start_broker()
    run:wait_assigned("c")
    produce(address, "late", 10)
    app:wait_journal(10)
    broker:signal("sigkill")
    broker:wait_exit()
  end)

  it("goes on when the broker comes back, also when that has lost everything", function()
    start_broker()
    produce(address, "late", 3)
    app:wait_journal(13, nil, 30000)
    run:wait_log("^consumer c: late%[0%]: the broker's log went back from offset 10 to 0; ")
    for i, entry in ipairs(app:journal()) do
      assert.equal(i > 10 and i - 11 or i - 1, entry.offset)
    end
    assert.equal(0, run:stop())
  end)

  it("stops at once when it is told to", function()
    local waiting = new("127.0.0.1:" .. port.free(), { consumers = { c = { topic = "t" } } })
      :start({ "run" })
    waiting:wait_log("^waiting for Kafka at ")
    local began = uv.hrtime()
    assert.equal(0, waiting:stop())
    assert.is_true((uv.hrtime() - began) / 1000000 < 6000 * wait.patience)
  end)
end)

describe("a topic", function()
  local broker

  before_each(function()
    broker = brokers.start()
  end)

  it("is created as declared when it is missing, by the side that only publishes too", function()
    local topic = brokers.unique("created")
    local run = new(broker.brokers, {
      topics = { [topic] = { partitions = 3, replicas = 1,
        config = { ["retention.ms"] = 60000 } } },
      producers = { out = { topic = topic } },
    }):start({ "run", "--only", "producers" })
    run:wait_log("^producer out is ready")
    if broker.is_real then
      assert.equal(1, #run:log('^topic "' .. topic:gsub("%p", "%%%0") ..
        '" created with 3 partitions and 1 replica$'))
      assert.equal(3, unit.kafka.partitions(broker.brokers, topic))
    else
      -- It knows no request for that and creates what it is asked for.
      assert.equal(1, #run:log('" created by the embedded broker, as always with 4 partitions$'))
      assert.equal(4, unit.kafka.partitions(broker.brokers, topic))
    end
    assert.equal(0, run:stop())
  end)

  it("that exists with other partitions is reported and left alone", function()
    local topic = broker:new_topic("other", 2)
    local run = new(broker.brokers, { topics = { [topic] = { partitions = 5 } },
      producers = { out = { topic = topic } } }):start({ "run", "--only", "producers" })
    local line = run:wait_log("has 2 partitions, declared are 5; it is left as it is$")
    assert.equal("warn", line.level)
    run:wait_log("^producer out is ready")
    assert.equal(2, unit.kafka.partitions(broker.brokers, topic))
    assert.equal(0, run:stop())
  end)

  it("with `create = false` is waited for", function()
    local topic = brokers.unique("waited")
    local run = new(broker.brokers, { topics = { [topic] = { create = false } },
      producers = { out = { topic = topic } } }):start({ "run", "--only", "producers" })
    run:wait_log('^waiting for Kafka at .*: topic "' .. topic:gsub("%p", "%%%0") ..
      '" does not exist, and with `create = false` is waited for$')
    broker:create_topic(topic, 1)
    run:wait_log("^producer out is ready")
    assert.equal(0, run:stop())
  end)

  it("that is created later is picked up by a consumer that runs", function()
    if not broker.is_real then
      pending("the embedded broker creates a topic as soon as a consumer asks for it")
    end
    local here, later = broker:new_topic("here", 1), brokers.unique("later")
    local app = new(broker.brokers,
      { consumers = { c = { topics = { here, later }, group = here } } })
    local run = app:start({ "run" })
    run:wait_assigned("c")
    produce(broker.brokers, here)
    app:wait_journal(1)
    broker:create_topic(later, 2)
    produce(broker.brokers, later, 20)
    app:wait_journal(20, { topic = later }, 20000)
    assert.equal(0, run:stop())
  end)

  it("is read by no consumer but the one that --only names", function()
    local one, other = broker:new_topic("one", 1), broker:new_topic("other", 1)
    local app = new(broker.brokers, { consumers = { one = { topic = one }, two = { topic = other },
      three = { topic = one, group = brokers.unique("three") } } })
    local run = app:start({ "run" }, { env = { LAGOON_ONLY = "one" } })
    run:wait_assigned("one")
    produce(broker.brokers, other)
    produce(broker.brokers, one)
    assert.equal("one", app:wait_journal(1)[1].consumer)
    assert.same({}, run:log("^consumer t"))
    assert.equal(0, run:stop())
    assert.equal(1, #app:journal())
    assert.is_nil(broker:committed(other, other, 1)[0])
  end)
end)

-- One program, two clusters.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local kcat = require("spec.support.kcat")
local lagoon = require("spec.support.lagoon")
local port = require("spec.support.port")
local wait = require("spec.support.wait")

local ENRICH = [[
local lagoon = require("lagoon")
local journal = require("journal")
local out = lagoon.producer("out")
return function(event, context)
  event.seen = true
  out:publish("Enriched", event)
  journal.record(context, { consumer = context.consumer })
end
]]

local NOTE = [[
local journal = require("journal")
return function(_, context)
  journal.record(context, { consumer = context.consumer })
end
]]

-- Orders are enriched from one cluster to the other, and read there.
local function new_application(east, west)
  return application.new("", {
    clusters = { east = { brokers = east }, west = { brokers = west } },
    topics = {
      orders = { cluster = "east", partitions = 2 },
      enriched = { cluster = "west", partitions = 1 },
    },
    producers = {
      orders = { topic = "orders", key_field = "id" },
      out = { topic = "enriched", key_field = "id" },
    },
    consumers = {
      enrich = { topic = "orders", group = "g", handlers = { Order = "handlers.enrich",
        Quiet = "handlers.note" } },
      read = { topic = "enriched", group = "g", handlers = { Enriched = "handlers.note" } },
    },
  }, { ["handlers/enrich"] = ENRICH, ["handlers/note"] = NOTE })
end

local function produce(broker, ids)
  local records = {}
  for i, id in ipairs(ids) do
    records[i] = { key = id, value = ('{"id":"%s"}'):format(id) }
  end
  broker:produce("orders", records, { partition = 0, headers = { { "Message-Type", "Order" } } })
end

describe("lagoon dev with two clusters", function()
  it("starts a broker for each, with its own topics, and says each address", function()
    local app = new_application("kafka-1:9092", "kafka-2:9092")
    app:script("dev", [[
      local lagoon = require("lagoon")
      lagoon.producer("orders"):publish("Order", { id = "o-1" }):await()
    ]])
    local dev = app:start({ "dev", "--port", "0" })
    local addresses = {}
    for _, name in ipairs({ "east", "west" }) do
      local line = dev:wait_log("^cluster " .. name .. ": embedded broker on ")
      addresses[name] = line.message:match("on (127%.0%.0%.1:%d+)")
    end
    assert.are_not.equal(addresses.east, addresses.west)
    app:wait_journal(1, { consumer = "read" }, 30000)
    assert.equal(1, #kcat.consume(addresses.east, "orders"))
    assert.equal("o-1", kcat.consume(addresses.west, "enriched")[1].key)
    assert.equal(0, dev:stop())
    assert.same({}, dev:log(nil, { level = "error" }))
  end)

  it("takes free ports upwards from the one that is asked for", function()
    local app = new_application("kafka-1:9092", "kafka-2:9092")
    local first = port.free()
    local dev = app:start({ "dev", "--port", tostring(first) })
    dev:wait_log(("^cluster east: embedded broker on 127%%.0%%.0%%.1:%d: "):format(first))
    local second = dev:wait_log("^cluster west: embedded broker on ").message:match(":(%d+): ")
    assert.is_true(tonumber(second) > first)
    assert.equal(0, dev:stop(20000))
  end)
end)

describe("lagoon run with two clusters", function()
  local east, west

  before_each(function()
    east = brokers.start_embedded()
    east:create_topic("orders", 2)
  end)

  it("works on one while the other is away, and goes on there when it comes", function()
    local away = port.free()
    local app = new_application(east.brokers, "127.0.0.1:" .. away)
    local run = app:start({ "run" })
    local publish = app:run({ "publish", "orders", "Order", "--timeout", "10s" },
      { input = '{"id":"o-1"}\n' })
    assert.equal(0, publish.process.code)
    app:wait_journal(1, { consumer = "enrich" }, 30000)
    run:wait_log("^consumer enrich: joining group g of cluster east, ")
    run:wait_log("^cluster west: waiting for Kafka at 127%.0%.0%.1:" .. away
      .. ": no broker answers at ")
    assert.same({}, run:log("^cluster east: waiting "))
    assert.equal(0, east:committed("g", "orders", 2)[0])

    lagoon.start({ "broker", "--port", tostring(away), "--topic", "enriched:1" })
    run:wait_assigned("read")
    app:wait_journal(1, { consumer = "read" }, 40000)
    wait.till("the commit", 10000, function()
      return east:committed("g", "orders", 2)[0] == 1
    end)
    assert.equal(0, run:stop())
  end)

  it("settles a record only when the other cluster has acknowledged what it published", function()
    west = brokers.start_embedded()
    west:create_topic("enriched", 1)
    local app = new_application(east.brokers, west.brokers)
    local run = app:start({ "run" })
    produce(east, { "o-1" })
    app:wait_journal(1, { consumer = "read" }, 30000)
    wait.till("the first commit", 10000, function()
      return east:committed("g", "orders", 2)[0] == 1
    end)

    west.process:signal("sigstop")
    produce(east, { "o-2", "o-3" })
    app:wait_journal(3, { consumer = "enrich" }, 20000)
    -- What publishes nothing is committed later, and with it all that may be.
    east:produce("orders", { { key = "q", value = "{}" } },
      { partition = 1, headers = { { "Message-Type", "Quiet" } } })
    wait.till("a later commit", 10000, function()
      return east:committed("g", "orders", 2)[1] == 1
    end)
    assert.equal(1, east:committed("g", "orders", 2)[0])

    west.process:signal("sigcont")
    wait.till("the commit", 20000, function()
      return east:committed("g", "orders", 2)[0] == 3
    end)
    assert.equal(3, #west:consume("enriched"))
    assert.equal(0, run:stop())
  end)
end)

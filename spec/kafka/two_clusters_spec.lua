-- From one Kafka to another: a record is settled only when the other has what was made of it.

local json = require("cjson")

local application = require("spec.support.application")
local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local unit = require("unit")
local wait = require("spec.support.wait")

local PARTITIONS, COUNT = 4, 200

local ENRICH = [[
local lagoon = require("lagoon")
local journal = require("journal")
local out = lagoon.producer("out")
return function(event, context)
  out:publish("Enriched", event)
  journal.record(context)
end
]]

local function new_application(east, west)
  return application.new("", {
    clusters = { east = { brokers = east.brokers }, west = { brokers = west.brokers } },
    topics = {
      quiet = { cluster = "east", partitions = 1 },
      orders = { cluster = "east", partitions = PARTITIONS },
      enriched = { cluster = "west", partitions = PARTITIONS },
    },
    producers = { out = { topic = "enriched", key_field = "id" } },
    consumers = {
      enrich = { topics = { "orders", "quiet" }, group = "g", workers = 2,
        handlers = { Order = "handlers.enrich", Quiet = "handlers.nothing" } },
    },
  }, { ["handlers/enrich"] = ENRICH, ["handlers/nothing"] = "return function() end" })
end

local function send(east, first, count)
  for partition = 0, PARTITIONS - 1 do
    local records = {}
    for number = first + partition, first + count - 1, PARTITIONS do
      local id = ("o-%d"):format(number)
      table.insert(records, { key = id, value = json.encode({ id = id }) })
    end
    kcat.produce(east.brokers, "orders", records,
      { partition = partition, headers = { { "Message-Type", "Order" } } })
  end
end

local function committed(east)
  local sum = 0
  for _, offset in pairs(assert(unit.kafka.committed(east.brokers, "g", "orders", PARTITIONS))) do
    sum = sum + offset
  end
  return sum
end

local function wait_committed(east, count)
  wait.till(("%d records to be committed"):format(count), 40000, function()
    local sum = committed(east)
    return sum == count, sum
  end)
end

local function assert_enriched(west, count)
  local seen = {}
  for _, record in ipairs(kcat.consume(west.brokers, "enriched")) do
    seen[record.key] = true
  end
  for number = 1, count do
    assert(seen["o-" .. number], ("order %d was lost"):format(number))
  end
end

describe("Enrichment from one Kafka to another", function()
  it("commits only what the other has, also when that stands still or dies", function()
    local east, west = kafka.start(), kafka.start()
    local app = new_application(east, west)
    local run = app:start({ "run" })
    local sent, quiet = 0, 0

    local function send_more()
      send(east, sent + 1, COUNT)
      sent = sent + COUNT
      app:wait_journal(sent, { topic = "orders" }, 40000)
    end

    -- What publishes nothing is committed later, and with it all that may be.
    local function assert_nothing_committed()
      kcat.produce(east.brokers, "quiet", { { key = "q", value = "{}" } },
        { headers = { { "Message-Type", "Quiet" } } })
      quiet = quiet + 1
      wait.till("a later commit", 20000, function()
        return unit.kafka.committed(east.brokers, "g", "quiet", 1)[0] == quiet
      end)
      assert.equal(sent - COUNT, committed(east))
    end

    local function assert_all_committed()
      wait_committed(east, sent)
      assert_enriched(west, sent)
    end

    run:wait_assigned("enrich")
    send_more()
    assert_all_committed()

    west.nodes[1].process:signal("sigstop")
    send_more()
    assert_nothing_committed()
    west.nodes[1].process:signal("sigcont")
    assert_all_committed()

    west.nodes[1]:kill()
    send_more()
    assert_nothing_committed()
    west.nodes[1]:start()
    west:wait_ready()
    assert_all_committed()
    assert.equal(0, run:stop())
    assert.same({}, run:log(nil, { level = "error" }))
  end)
end)

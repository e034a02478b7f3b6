-- The example application of this repository, as its README promises it.

local brokers = require("spec.support.broker")
local json = require("cjson")
local kcat = require("spec.support.kcat")
local lagoon = require("spec.support.lagoon")
local run = require("spec.support.run")
local unit = require("unit")
local wait = require("spec.support.wait")

local TYPES = { "OrderCreated", "OrderPaid", "OrderShipped" }

---What is on the topic about an order, which has to be all in one partition, by type.
local function records_of(address, order_id)
  local found = {}
  for _, record in ipairs(kcat.consume(address, "orders")) do
    local event = json.decode(record.value)
    if event.order_id == order_id then
      assert.equal(order_id, record.key)
      assert.equal(1, #record.headers)
      assert.equal("Message-Type", record.headers[1][1])
      table.insert(found, { type = record.headers[1][2], event = event, record = record })
      assert.equal(found[1].record.partition, record.partition)
    end
  end
  return found
end

local function wait_handled(process, order_id)
  process:wait_log("^stock reserved$", { order_id = order_id })
  process:wait_log("^shipment initiated$", { order_id = order_id })
  process:wait_log("^customer notified$", { order_id = order_id, status = "shipped" })
end

local function assert_gone(address)
  wait.till("the end of the broker at " .. address, 10000, function()
    return not unit.kafka.brokers(address, 200)
  end)
end

describe("lagoon dev", function()
  local function start()
    local dev = run.new(lagoon.start({ "dev", "--port", "0" }))
    local line = dev:wait_log("^embedded broker on ")
    return dev, line.message:match("^embedded broker on (127%.0%.0%.1:%d+): memory only")
  end

  it("shows orders created, paid and shipped, and kcat sees the same on the topic", function()
    local dev, address = start()
    dev:wait_log("^traffic comes from scripts/dev.lua$")
    wait_handled(dev, "order-1")
    local found = records_of(address, "order-1")
    assert.equal(3, #found)
    for i, type in ipairs(TYPES) do
      assert.equal(type, found[i].type)
    end
    assert.same({ order_id = "order-1", tracking_number = "track-order-1",
      shipped_at = found[3].event.shipped_at }, found[3].event)
    assert.is_true(math.abs(found[3].event.shipped_at - found[3].record.timestamp) < 60000)
    assert.equal(10, unit.kafka.partitions(address, "orders"))
    assert.equal(0, dev:stop())
    assert.same({}, dev:log(nil, { level = "error" }))
    assert_gone(address)
  end)

  it("takes its broker with it, however it ends", function()
    local dev, address = start()
    dev.process:signal("sigkill")
    dev.process:wait_exit()
    assert_gone(address)
  end)
end)

describe("the orders application", function()
  local broker, environment, consumers, producers

  setup(function()
    broker = brokers.start()
    -- The embedded broker is not told how many partitions by clients.
    if not broker.is_real then
      broker:create_topic("orders", 10)
    end
    environment = { KAFKA_BROKERS = broker.brokers }
    producers = run.new(lagoon.start({ "run", "--only", "producers" }, { env = environment }))
    consumers = run.new(lagoon.start({ "run", "--only", "consumers" }, { env = environment }))
    consumers:wait_assigned("order-events-handler")
  end)

  local function publish(type, events)
    local lines = {}
    for i, event in ipairs(events) do
      lines[i] = json.encode(event) .. "\n"
    end
    local publisher = lagoon.run({ "publish", "order-producer", type },
      { env = environment, input = table.concat(lines) })
    assert.equal(0, publisher.code)
    assert.matches(("^published %d events? in %%d+%%.%%d s"):format(#events), publisher:stdout())
  end

  it("has its topic as declared, whichever side came first", function()
    assert.equal(10, unit.kafka.partitions(broker.brokers, "orders"))
    if broker.is_real then
      local made = #producers:log('^topic "orders" created with 10 partitions and 1 replica$') +
        #consumers:log('^topic "orders" created with 10 partitions and 1 replica$')
      assert.equal(1, made)
    end
  end)

  it("handles with one process what another publishes", function()
    publish("OrderCreated", {
      { order_id = "A-1", customer_id = "C-1", total_amount = 12.5, created_at = 1 },
      { order_id = "A-2", customer_id = "C-2", total_amount = 1, created_at = 2 },
    })
    publish("OrderPaid", { { order_id = "A-1", payment_id = "P-1", paid_at = 3 } })
    wait_handled(consumers, "A-1")
    consumers:wait_log("^stock reserved$", { order_id = "A-2" })
    local found = records_of(broker.brokers, "A-1")
    assert.same(TYPES, { found[1].type, found[2].type, found[3].type })
    assert.equal("track-A-1", found[3].event.tracking_number)
    assert.equal(1, #records_of(broker.brokers, "A-2"))
    assert.equal(0, #consumers:log("^shipment initiated$", { order_id = "A-2" }))
  end)

  it("starts no consumer under --only producers, and says how to publish", function()
    producers:wait_log("^producer order%-producer is ready; publish by: " ..
      "lagoon publish order%-producer TYPE < ")
    assert.is_true(#consumers:log("^consumer order%-events%-handler: ") > 0)
    assert.equal(0, #producers:log("^consumer order%-events%-handler: "))
    assert.equal(0, producers:stop())
    assert.same({}, producers:log(nil, { level = "error" }))
  end)

  it("commits all it has handled when it is stopped", function()
    assert.equal(0, consumers:stop())
    local ends = broker:end_offsets("orders", 10)
    local committed = broker:committed("order-processing", "orders", 10)
    for partition = 0, 9 do
      assert.equal(ends[partition], committed[partition])
    end
  end)
end)

local config = require("unit").config
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")

local json = require("cjson")

local NOW = 1700000000000

-- What stands in for the runtime: it notes what scripts log and publish; its clock stands still.
local function fake_lagoon(declared)
  local lagoon = { logged = {}, published = {}, log = {}, http = {}, json = json,
    environment = {} }
  function lagoon.env(name, default)
    return lagoon.environment[name] or default
  end
  function lagoon.log.info(message, fields)
    table.insert(lagoon.logged, { message, fields })
  end
  function lagoon.now()
    return NOW
  end
  function lagoon.uuid()
    return "00000000-0000-4000-8000-000000000000"
  end
  function lagoon.sleep(seconds)
    coroutine.yield(seconds)
  end
  function lagoon.producer(name)
    assert(declared[name], "no such producer: " .. name)
    return {
      publish = function(_, event_type, event)
        table.insert(lagoon.published, { event_type, event })
      end,
    }
  end
  return lagoon
end

local function declared_producers(loaded)
  local declared = {}
  for _, producer in ipairs(loaded.producers) do
    declared[producer.name] = true
  end
  return declared
end

describe("the orders application", function()
  local loaded, lagoon
  local package_path = package.path
  local modules_before = {}

  setup(function()
    config_file.setenv("KAFKA_BROKERS", nil)
    config_file.setenv("KAFKA_REPLICAS", nil)
  end)

  before_each(function()
    for name in pairs(package.loaded) do
      modules_before[name] = true
    end
    loaded = assert(config.load("config.lua"))
    lagoon = fake_lagoon(declared_producers(loaded))
    package.loaded.lagoon = lagoon
    package.path = "scripts/?.lua"
  end)

  -- Each worker has modules of its own, and so has each spec.
  after_each(function()
    package.path = package_path
    for name in pairs(package.loaded) do
      if not modules_before[name] then
        package.loaded[name] = nil
      end
    end
  end)

  local function handle(event_type, event)
    for _, handler in ipairs(loaded.consumers[1].handlers) do
      if handler.type == event_type then
        return require(handler.module)(event, {})
      end
    end
    error("nobody handles " .. event_type)
  end

  it("reserves stock when an order is created", function()
    handle("OrderCreated", { order_id = "o-1", customer_id = "c-1", total_amount = 9.5,
      created_at = NOW })
    assert.same({ { "stock reserved", { order_id = "o-1" } } }, lagoon.logged)
    assert.same({}, lagoon.published)
  end)

  it("initiates shipping when an order is paid, and publishes that it is shipped", function()
    handle("OrderPaid", { order_id = "o-1", payment_id = "p-1", paid_at = NOW })
    assert.same({ { "shipment initiated", { order_id = "o-1", tracking_number = "track-o-1" } } },
      lagoon.logged)
    assert.same({ { "OrderShipped", { order_id = "o-1", tracking_number = "track-o-1",
      shipped_at = NOW } } }, lagoon.published)
  end)

  it("notifies the customer when an order is shipped", function()
    handle("OrderShipped", { order_id = "o-1", tracking_number = "track-o-1", shipped_at = NOW })
    assert.same({ { "customer notified", { order_id = "o-1", status = "shipped" } } },
      lagoon.logged)
    assert.same({}, lagoon.published)
  end)

  describe("with services of its own", function()
    local asked, answer

    before_each(function()
      asked, answer = {}, { status = 200, body = '{"tracking_number":"T-7"}' }
      for _, name in ipairs({ "INVENTORY", "SHIPPING", "NOTIFICATION" }) do
        lagoon.environment[name .. "_URL"] = "http://" .. name:lower()
      end
      function lagoon.http.request(request)
        table.insert(asked, { request.method, request.url, json.decode(request.body),
          request.headers["Idempotency-Key"] })
        return answer, not answer and "no route" or nil
      end
    end)

    it("asks each of them, with a key that is the same when an event comes again", function()
      for _ = 1, 2 do
        handle("OrderCreated", { order_id = "o-1" })
        handle("OrderPaid", { order_id = "o-1" })
        handle("OrderShipped", { order_id = "o-1" })
      end
      assert.same({ "POST", "http://inventory", { order_id = "o-1" }, "reserve-o-1" }, asked[1])
      assert.same({ "POST", "http://shipping", { order_id = "o-1" }, "ship-o-1" }, asked[2])
      assert.same({ "POST", "http://notification", { order_id = "o-1", status = "shipped" },
        "notify-o-1-shipped" }, asked[3])
      assert.same({ asked[1], asked[2], asked[3] }, { asked[4], asked[5], asked[6] })
      assert.equal("T-7", lagoon.published[1][2].tracking_number)
    end)

    it("fails when one of them does not do it", function()
      answer = { status = 503, body = "closed" }
      assert.has_error(function() handle("OrderCreated", { order_id = "o-1" }) end,
        "http://inventory answers 503: closed")
      answer = nil
      assert.has_error(function() handle("OrderPaid", { order_id = "o-1" }) end, "no route")
      assert.same({ {}, {} }, { lagoon.logged, lagoon.published })
    end)
  end)

  it("declares one topic, producer and consumer that belong together", function()
    assert.equal("localhost:9092", loaded.clusters[1].brokers)
    assert.equal("orders", loaded.topics[1].name)
    assert.equal(10, loaded.topics[1].partitions)
    assert.equal(1, loaded.topics[1].replicas)
    assert.equal("orders", loaded.producers[1].topic)
    assert.equal("order_id", loaded.producers[1].key_field)
    local consumer = loaded.consumers[1]
    assert.same({ "orders" }, consumer.topics)
    assert.equal("order-processing", consumer.group)
    assert.equal("free_worker", consumer.distribution)
    assert.same({ 10, 100, 25, 10 }, { consumer.workers_min, consumer.workers_max,
      consumer.lag_threshold, consumer.buffer_size })
  end)

  it("takes its brokers and replicas from the environment", function()
    local text = directory.read("config.lua")
    local path = directory.write(directory.new() .. "/config.lua", text)
    config_file.setenv("KAFKA_BROKERS", "kafka-1:9092,kafka-2:9092")
    config_file.setenv("KAFKA_REPLICAS", "3")
    local other, problems = config.load(path)
    assert.is_nil(problems)
    assert.equal("kafka-1:9092,kafka-2:9092", other.clusters[1].brokers)
    assert.equal(3, other.topics[1].replicas)
  end)

  it("has a command that places orders for a customer, and says which", function()
    local printed = {}
    local environment = setmetatable({ print = function(line) table.insert(printed, line) end },
      { __index = _G })
    local path = "scripts/commands/create_orders.lua"
    local command = assert(loadfile(path, "t", environment))
    command("2", "c-9")
    assert.same({ lagoon.uuid(), lagoon.uuid() }, printed)
    assert.equal(2, #lagoon.published)
    assert.same({ "OrderCreated", "c-9", NOW }, { lagoon.published[2][1],
      lagoon.published[2][2].customer_id, lagoon.published[2][2].created_at })
    command()
    assert.equal(12, #lagoon.published)
    for _, count in ipairs({ "0", "two", "1.5" }) do
      assert.has_error(function() command(count) end,
        "usage: lagoon exec create_orders [COUNT] [CUSTOMER]")
    end
  end)

  describe("in dev", function()
    -- Runs scripts/dev.lua until it has slept so often; the seconds of each sleep.
    local function run_dev(sleeps)
      local slept = {}
      local dev = coroutine.create(assert(loadfile("scripts/dev.lua", "t")))
      for i = 1, sleeps do
        local ok, seconds = coroutine.resume(dev)
        assert(ok, seconds)
        slept[i] = seconds
      end
      return slept
    end

    it("creates and pays an order a second", function()
      assert.same({ 0.5, 0.5, 0.5, 0.5 }, run_dev(4))
      local created, paid = lagoon.published[1], lagoon.published[2]
      local amount = created[2].total_amount
      assert.is_true(amount >= 5 and amount <= 200)
      assert.matches("^customer%-%d+$", created[2].customer_id)
      assert.same({ "OrderCreated", { order_id = "order-1", created_at = NOW,
        customer_id = created[2].customer_id, total_amount = amount } }, created)
      assert.same({ "OrderPaid", { order_id = "order-1", payment_id = lagoon.uuid(),
        paid_at = NOW } }, paid)
      assert.equal("order-2", lagoon.published[3][2].order_id)
      assert.equal(4, #lagoon.published)
    end)

    it("handles all that is published, with what handlers publish, until orders are shipped",
      function()
        run_dev(2)
        local at = 1
        while lagoon.published[at] do
          handle(table.unpack(lagoon.published[at]))
          at = at + 1
        end
        local messages = {}
        for i, entry in ipairs(lagoon.logged) do
          messages[i] = entry[1] .. " " .. entry[2].order_id
        end
        assert.same({ "stock reserved order-1", "shipment initiated order-1",
          "customer notified order-1" }, messages)
      end)
  end)
end)

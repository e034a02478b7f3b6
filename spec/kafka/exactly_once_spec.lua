-- An undisturbed run handles everything exactly once, and says so to Kafka.

local oracle = require("spec.support.oracle")

local ORDERS = 100000
local TYPES = { "OrderCreated", "OrderPaid", "OrderShipped" }

local function lines_of(number)
  local lines = {}
  for order = 1, ORDERS do
    lines[order] = ('{"order_id":"order-%d","n":%d}'):format(order, number)
  end
  return lines
end

local function publish(judge, type, lines)
  local input = table.concat(lines, "\n") .. "\n"
  local publisher = judge.app:start({ "publish", "orders", type }, { input = input }).process
  publisher.is_tool = true
  judge:wait("the end of lagoon publish", 60000, function()
    return not publisher:is_running()
  end)
  assert.equal(0, publisher:wait_exit())
end

local function run_undisturbed(consumer)
  consumer.workers = 4
  local judge = oracle.new({ partitions = 10, consumer = consumer,
    is_ordered = consumer.distribution == "key" })
  local member = judge:start_member()
  for number, type in ipairs(TYPES) do
    publish(judge, type, lines_of(number))
  end
  judge:wait_handled(60000)

  assert.equal(0, member:stop())
  local verdicts = judge.verdicts
  verdicts:read()
  assert.equal(3 * ORDERS, verdicts.handled)
  assert.equal(0, verdicts:repeated("begun"))
  assert.same(judge:end_offsets(), judge:sample(true))
  assert.same({}, verdicts.wrong)
  assert.is_true(judge.samples > 5)
end

describe("An undisturbed run on Kafka", function()
  it("handles 300,000 events over 100,000 orders exactly once", function()
    run_undisturbed({ distribution = "key" })
  end)

  it("handles them exactly once under free_worker", function()
    run_undisturbed({ distribution = "free_worker" })
  end)
end)

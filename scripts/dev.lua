-- Traffic for `lagoon dev`: an order a second, so that there is something to watch.

local lagoon = require("lagoon")

local orders = lagoon.producer("order-producer")

local function place_order(order_id)
  orders:publish("OrderCreated", {
    order_id = order_id,
    customer_id = "customer-" .. math.random(20),
    total_amount = math.random(500, 20000) / 100,
    created_at = lagoon.now(),
  })
end

local function pay_order(order_id)
  orders:publish("OrderPaid", {
    order_id = order_id,
    payment_id = lagoon.uuid(),
    paid_at = lagoon.now(),
  })
end

-- Nobody ships here: the handler of OrderPaid does, and publishes OrderShipped.
for number = 1, math.huge do
  local order_id = ("order-%d"):format(number)
  place_order(order_id)
  lagoon.sleep(0.5)
  pay_order(order_id)
  lagoon.sleep(0.5)
end

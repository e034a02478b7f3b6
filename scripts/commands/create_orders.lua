-- lagoon exec create_orders [COUNT] [CUSTOMER]: places orders, one event each.

local lagoon = require("lagoon")

local orders = lagoon.producer("order-producer")

local count = tonumber(... or 10)
local customer_id = select(2, ...) or "customer-1"

if math.type(count) ~= "integer" or count < 1 then
  error("usage: lagoon exec create_orders [COUNT] [CUSTOMER]", 0)
end

for _ = 1, count do
  local order_id = lagoon.uuid()
  orders:publish("OrderCreated", {
    order_id = order_id,
    customer_id = customer_id,
    total_amount = math.random(500, 20000) / 100,
    created_at = lagoon.now(),
  })
  print(order_id)
end

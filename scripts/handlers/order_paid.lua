local lagoon = require("lagoon")
local shipping = require("services.shipping")

local orders = lagoon.producer("order-producer")

-- The record counts as handled only when the event published here has reached Kafka too.
---@param event { order_id: string, payment_id: string, paid_at: integer }
return function(event)
  local shipment = shipping.initiate(event.order_id)
  orders:publish("OrderShipped", {
    order_id = event.order_id,
    tracking_number = shipment.tracking_number,
    shipped_at = shipment.shipped_at,
  })
end

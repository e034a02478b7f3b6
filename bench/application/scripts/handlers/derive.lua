-- One event out for one event in.
local producer = require("lagoon").producer("derived")

return function(event)
  producer:publish("OrderSeen", { order_id = event.order_id, total_amount = event.total_amount })
end

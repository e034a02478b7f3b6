local inventory = require("services.inventory")

---@param event { order_id: string, customer_id: string, total_amount: number, created_at: integer }
return function(event)
  inventory.reserve_stock(event.order_id)
end

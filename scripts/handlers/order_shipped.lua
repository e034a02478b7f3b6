local notification = require("services.notification")

---@param event { order_id: string, tracking_number: string, shipped_at: integer }
return function(event)
  notification.send_order_update(event.order_id, "shipped")
end

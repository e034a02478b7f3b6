-- The warehouse. Here it only says what it does; yours would call it.

local lagoon = require("lagoon")

local M = {}

---Sets the goods of an order aside.
---@param order_id string
function M.reserve_stock(order_id)
  lagoon.log.info("stock reserved", { order_id = order_id })
end

return M

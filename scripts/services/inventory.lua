-- The warehouse: the service at INVENTORY_URL. Without one this only says what it would do.

local lagoon = require("lagoon")
local remote = require("services.remote")

local url = lagoon.env("INVENTORY_URL", "")

local M = {}

---Sets the goods of an order aside.
---@param order_id string
function M.reserve_stock(order_id)
  if url ~= "" then
    remote.post(url, "reserve-" .. order_id, { order_id = order_id })
  end
  lagoon.log.info("stock reserved", { order_id = order_id })
end

return M

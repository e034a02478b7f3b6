-- Messages to customers: the service at NOTIFICATION_URL. Without one this only says what it would
-- do.

local lagoon = require("lagoon")
local remote = require("services.remote")

local url = lagoon.env("NOTIFICATION_URL", "")

local M = {}

---Tells the customer how an order is doing.
---@param order_id string
---@param status string such as "shipped"
function M.send_order_update(order_id, status)
  if url ~= "" then
    remote.post(url, ("notify-%s-%s"):format(order_id, status),
      { order_id = order_id, status = status })
  end
  lagoon.log.info("customer notified", { order_id = order_id, status = status })
end

return M

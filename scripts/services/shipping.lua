-- The carrier: the service at SHIPPING_URL, which answers {"tracking_number": ...}. Without one the
-- number is made up here.

local lagoon = require("lagoon")
local remote = require("services.remote")

local url = lagoon.env("SHIPPING_URL", "")

local M = {}

---@class Shipment
---@field tracking_number string
---@field shipped_at integer milliseconds since 1970

---Hands an order to the carrier. An event may come twice, after a crash for instance: asked again,
---the carrier has the same number for the same order, so that does no harm.
---@param order_id string
---@return Shipment
function M.initiate(order_id)
  local tracking_number = "track-" .. order_id
  if url ~= "" then
    local shipment = remote.post(url, "ship-" .. order_id, { order_id = order_id })
    tracking_number = shipment.tracking_number
  end
  lagoon.log.info("shipment initiated", {
    order_id = order_id,
    tracking_number = tracking_number,
  })
  return { tracking_number = tracking_number, shipped_at = lagoon.now() }
end

return M

-- The carrier.

local lagoon = require("lagoon")

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
  lagoon.log.info("shipment initiated", {
    order_id = order_id,
    tracking_number = tracking_number,
  })
  return { tracking_number = tracking_number, shipped_at = lagoon.now() }
end

return M

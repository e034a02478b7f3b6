-- How many workers are wanted, and how long ago more were: the model's fifth part.

local check = require("spec.support.model").check

local M = {}

---@class spec.ScalerModel
local ScalerModel = {}
ScalerModel.__index = ScalerModel

local MEMORY_S = 30

---@param limits table as in require("unit").scaler.new
---@return spec.ScalerModel
function M.new(limits)
  return setmetatable({ limits = limits, wanted = limits.min, past = {},
    seen = { grown = 0, shrunk = 0, unknown_lags = 0 } }, ScalerModel)
end

local function figure(limits, sight)
  local most = limits.is_by_partition and sight.partitions or limits.max
  local asked = math.min(math.ceil(sight.lag / limits.lag_threshold), most, limits.max)
  return math.max(asked, limits.min)
end

---The scaler answered this.
function ScalerModel:answer(sight, now_ms, wanted)
  table.insert(self.past, { second = now_ms // 1000, figure = figure(self.limits, sight) })
  local peak = 0
  for _, entry in ipairs(self.past) do
    if entry.second >= now_ms // 1000 - MEMORY_S then
      peak = math.max(peak, entry.figure)
    end
  end
  local before = self.wanted
  self.wanted = sight.is_unknown and math.max(before, peak) or peak
  check(wanted == self.wanted, "%d workers are wanted, not %d", self.wanted, wanted)
  local seen = self.seen
  seen.grown = seen.grown + (wanted > before and 1 or 0)
  seen.shrunk = seen.shrunk + (wanted < before and 1 or 0)
  seen.unknown_lags = seen.unknown_lags + (sight.is_unknown and 1 or 0)
end

return M

-- Numbers that follow from a seed alone. Each who asks has a stream of its own, so that one's
-- numbers do not depend on when another asks.

local M = {}

---@param seed integer
---@param name string whose numbers
---@return fun(first: integer, last: integer): integer
function M.new(seed, name)
  local state = seed
  for byte in name:gmatch(".") do
    state = state * 31 + byte:byte()
  end
  return function(first, last)
    state = state + 0x9E3779B97F4A7C15
    local mixed = (state ~ state >> 30) * 0xBF58476D1CE4E5B9
    mixed = (mixed ~ mixed >> 27) * 0x94D049BB133111EB
    mixed = mixed ~ mixed >> 31
    return first + (mixed >> 1) % (last - first + 1)
  end
end

return M

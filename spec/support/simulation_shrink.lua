-- A game that breaks a promise, with as few of its steps as still break one.

local child = require("unit").child
local clock = require("luv").hrtime
local simulation = require("spec.support.simulation")

local M = {}

local LIMIT_S = 20 -- of one game
local PATIENCE_NS = 30 * 1000000000

---Plays a game in a child process, where it may also hit an assert, crash or hang.
---@param seed integer
---@param numbers integer[] which of its steps
---@return string? problem what went wrong
function M.problem(seed, numbers)
  local how, text = child.run(function()
    simulation.play(seed, numbers)
    return ""
  end, LIMIT_S)
  if how == "returned" then
    return nil
  end
  return how == "raised" and text or ("%s\n%s"):format(how, text)
end

local function without(numbers, first, count)
  local rest = table.move(numbers, 1, first - 1, 1, {})
  return table.move(numbers, first + count, #numbers, first, rest)
end

---Leaves out ever smaller pieces, as long as the rest breaks a promise, whichever.
---@param seed integer
---@param numbers integer[]
---@return integer[] numbers
function M.shrink(seed, numbers)
  local give_up_at = clock() + PATIENCE_NS
  local size = math.max(1, #numbers // 2)
  while true do
    local first, has_shrunk = 1, false
    while first <= #numbers do
      local candidate = without(numbers, first, size)
      if clock() > give_up_at then
        return numbers
      elseif M.problem(seed, candidate) then
        numbers, has_shrunk = candidate, true
      else
        first = first + size
      end
    end
    if size == 1 and not has_shrunk then
      return numbers
    end
    size = math.max(1, size // 2)
  end
end

---What happens in a game, up to its end.
---@param seed integer
---@param numbers integer[]
---@return string
function M.story(seed, numbers)
  local _, text = child.run(function()
    simulation.tell(seed, numbers, function(line)
      io.stderr:write("  ", line, "\n")
    end)
    return ""
  end, LIMIT_S)
  return text
end

---All that helps to understand a failure, for a game that has one.
---@param seed integer
---@param numbers integer[]
---@return string
function M.report(seed, numbers)
  local shortest = M.shrink(seed, numbers)
  local again = ("make simulate GAME=%d STEPS=%s"):format(seed, table.concat(shortest, ","))
  return ("%s\nwith %d of its %d steps, which are repeated by\n  %s\n%s"):format(
    M.problem(seed, shortest), #shortest, #numbers, again, M.story(seed, shortest))
end

return M

-- Lists whose order does not matter, for the simulation.

local M = {}

---@param list any[]
---@return any member any of them
function M.pick(list)
  return list[math.random(#list)]
end

---Each member as often as its weight says, to pick from.
---@param weights {[1]: any, [2]: integer}[]
---@return any[]
function M.weighted(weights)
  local list = {}
  for _, weight in ipairs(weights) do
    for _ = 1, weight[2] do
      table.insert(list, weight[1])
    end
  end
  return list
end

---Takes one out; the last one goes to its place.
---@param list any[]
---@param index integer
---@return any member
function M.take_out(list, index)
  local member = list[index]
  list[index] = list[#list]
  list[#list] = nil
  return member
end

---@param list any[]
---@param member any
function M.remove(list, member)
  for index = #list, 1, -1 do
    if list[index] == member then
      M.take_out(list, index)
    end
  end
end

return M

-- Lists whose order does not matter, for the simulation.

local M = {}

---@param list any[]
---@return any member any of them
function M.pick(list)
  return list[math.random(#list)]
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

-- The processes whose output a failing spec shows.

local M = {}

-- The oldest first.
local started = {}

---@param process spec.Process
function M.add(process)
  table.insert(started, process)
end

---Those that still run, and those that ended since the last spec, but no tool that did its work.
---@return spec.Process[]
function M.list()
  local suspects = {}
  for _, process in ipairs(started) do
    if process.code ~= 0 or not process.is_tool then
      table.insert(suspects, process)
    end
  end
  return suspects
end

---Forgets those that have ended.
function M.forget_ended()
  local alive = {}
  for _, process in ipairs(started) do
    if not process.code then
      table.insert(alive, process)
    end
  end
  started = alive
end

return M

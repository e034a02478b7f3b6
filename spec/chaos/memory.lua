-- What a process takes of the machine's memory.

local M = {}

---The most that was ever resident; 0 when it is over.
---@param pid integer
---@return integer
function M.peak_kib(pid)
  local file = io.open(("/proc/%d/status"):format(pid))
  local text = file and file:read("a") or ""
  if file then
    file:close()
  end
  return math.tointeger(tonumber(text:match("VmHWM:%s*(%d+)"))) or 0
end

return M

-- What a process takes of the machine's memory.

local M = {}

-- Of its status; 0 when the process is over.
local function read_kib(pid, name)
  local file = io.open(("/proc/%d/status"):format(pid))
  local text = file and file:read("a") or ""
  if file then
    file:close()
  end
  return math.tointeger(tonumber(text:match(name .. ":%s*(%d+)"))) or 0
end

---The most that was ever resident; 0 when it is over.
---@param pid integer
---@return integer
function M.peak_kib(pid)
  return read_kib(pid, "VmHWM")
end

---What is resident now; 0 when it is over.
---@param pid integer
---@return integer
function M.resident_bytes(pid)
  return read_kib(pid, "VmRSS") * 1024
end

return M

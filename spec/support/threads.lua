-- What the kernel knows of a process and its threads.

local lfs = require("lfs")

local M = {}

---@class spec.Thread
---@field id integer
---@field name string
---@field switches integer times it went to sleep or was put aside
---@field nice integer how far it gives way to others

local function read(path)
  local file = io.open(path)
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text
end

---The threads whose names begin so; one that ends meanwhile is left out.
---@param pid integer
---@param prefix string
---@return spec.Thread[]
function M.named(pid, prefix)
  local threads, folder = {}, ("/proc/%d/task"):format(pid)
  for id in lfs.dir(folder) do
    local name = id:find("^%d") and read(("%s/%s/comm"):format(folder, id))
    local status = name and name:sub(1, #prefix) == prefix
      and read(("%s/%s/status"):format(folder, id))
    if status then
      local switches = 0
      for count in status:gmatch("ctxt_switches:%s*(%d+)") do
        switches = switches + math.tointeger(count)
      end
      local stat = read(("%s/%s/stat"):format(folder, id)) or ""
      local nice = stat:match("^.*%) %S+ " .. ("%S+ "):rep(15) .. "(%-?%d+)")
      table.insert(threads, { id = math.tointeger(id), name = name:match("[^\n]*"),
        switches = switches, nice = math.tointeger(tonumber(nice)) })
    end
  end
  return threads
end

---@param pid integer
---@return number seconds that the process has run, in the program and in the kernel
function M.cpu_seconds(pid)
  local user, system = read(("/proc/%d/stat"):format(pid))
    :match("^.*%) %S+ " .. ("%S+ "):rep(10) .. "(%d+) (%d+)")
  return (math.tointeger(user) + math.tointeger(system)) / 100
end

-- Of its memory; 0 when it is over.
local function read_bytes(pid, name)
  local kib = (read(("/proc/%d/status"):format(pid)) or ""):match(name .. ":%s*(%d+)")
  return math.tointeger(tonumber(kib) or 0) * 1024
end

---@param pid integer
---@return integer bytes of memory that are its own and present; 0 when it is over
function M.resident_bytes(pid)
  return read_bytes(pid, "VmRSS")
end

---@param pid integer
---@return integer bytes, the most that it had at once; 0 when it is over
function M.peak_bytes(pid)
  return read_bytes(pid, "VmHWM")
end

---@param pid integer
---@return boolean whether SIGSTOP has reached all its threads
function M.are_frozen(pid)
  local folder = ("/proc/%d/task"):format(pid)
  for id in lfs.dir(folder) do
    local status = id:find("^%d") and read(("%s/%s/status"):format(folder, id))
    if status and not status:find("\nState:%s*[Tt] ") then
      return false
    end
  end
  return true
end

return M

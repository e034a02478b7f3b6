-- What processes under test find in their environment.

local uv = require("luv")

local M = {}

---The variables of this process, without what is meant for the interpreter or the specs alone, as
---NAME=VALUE.
---@param changes? table<string, string|false> false takes a variable away
---@return string[]
function M.with(changes)
  local variables = uv.os_environ()
  variables.LD_PRELOAD = nil
  variables.LUA_PATH = nil
  variables.LUA_CPATH = nil
  for _, name in ipairs({ "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS" }) do
    variables[name] = variables["LAGOON_SPEC_" .. name]
  end
  for name in pairs(variables) do
    variables[name] = not name:find("^LAGOON_") and variables[name] or nil
  end
  -- Of many that run at once one would have the port.
  variables.LAGOON_LISTEN = "false"
  for name, value in pairs(changes or {}) do
    variables[name] = value or nil
  end
  local list = {}
  for name, value in pairs(variables) do
    table.insert(list, name .. "=" .. tostring(value))
  end
  return list
end

return M

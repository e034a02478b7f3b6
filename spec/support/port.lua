-- A port of the loopback interface that nobody listens on.

local uv = require("luv")

local M = {}

local given = {}

---Never the same one twice in a run. Nothing reserves it: start what listens there soon.
---@return integer
function M.free()
  while true do
    local socket = uv.new_tcp()
    assert(socket:bind("127.0.0.1", 0))
    local port = assert(socket:getsockname()).port
    socket:close()
    uv.run("nowait")
    if not given[port] then
      given[port] = true
      return port
    end
  end
end

return M

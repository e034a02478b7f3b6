-- The process of a fault proxy. It does as standard input says, a line each, and ends with it:
--   listen HOST:PORT            answers "listening on 127.0.0.1:PORT"
--   PORT FAULT [AMOUNT]         answers the same line, once connections have the fault

local relay = require("spec.support.fault_proxy_relay")
local uv = require("luv")

require("spec.support.broken_pipe")

local relays = {} -- by port

local function obey(line)
  local upstream = line:match("^listen (%S+)$")
  if upstream then
    local one = relay.new(upstream)
    relays[one.port] = one
    return "listening on 127.0.0.1:" .. one.port
  end
  local port, fault, amount = line:match("^(%d+) (%l+) ?(%d*)$")
  relays[math.tointeger(port)]:set(fault, math.tointeger(amount))
  return line
end

local input = uv.new_pipe()
assert(input:open(0))
local rest = ""
input:read_start(function(failure, data)
  if failure or not data then
    os.exit(0)
  end
  rest = (rest .. data):gsub("([^\n]*)\n", function(line)
    io.stdout:write(obey(line), "\n")
    io.stdout:flush()
    return ""
  end)
end)

uv.run()

-- Holds its worker, as a call of a blocking library does.
local lagoon = require("lagoon")
local uv = require("luv")

local milliseconds = math.tointeger(lagoon.env("BENCH_WAIT_MS", 1))

return function()
  uv.sleep(milliseconds)
end

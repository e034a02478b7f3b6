-- Waits, and leaves the worker to others meanwhile.
local lagoon = require("lagoon")

local seconds = lagoon.env("BENCH_WAIT_MS", 10) / 1000

return function()
  lagoon.sleep(seconds)
end

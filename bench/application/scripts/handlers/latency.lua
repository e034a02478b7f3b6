-- Notes how long after it was due each event was handled, and writes it down at the end.
local lagoon = require("lagoon")
local uv = require("luv")

local folder = lagoon.env("BENCH_FOLDER")
local counts = {} -- by steps of 50 microseconds

return {
  handle = function(event)
    if event.created_at == 0 then
      return -- of the second in which all begins
    end
    local step = (uv.hrtime() - event.created_at) // 50000
    counts[step] = (counts[step] or 0) + 1
  end,
  on_unload = function()
    local file = assert(io.open(("%s/latency-%s"):format(folder, lagoon.uuid()), "w"))
    for step, count in pairs(counts) do
      file:write(step, " ", count, "\n")
    end
    file:close()
  end,
}

local stops = require("spec.support.simulation_stops")

local GAMES, STEPS_A_GAME = 300, 400
local SEED = tonumber(os.getenv("LAGOON_SEED"))

describe("a partition that stops and is resumed", function()
  it("handles each record in its order, once unless it failed, and commits none past it", function()
    local first = SEED or os.time() * 1000
    local total = {}
    for seed = first, first + (SEED and 0 or GAMES - 1) do
      local ok, seen = pcall(stops.play, seed, STEPS_A_GAME)
      assert(ok, ("%s\nrepeat it with LAGOON_SEED=%d"):format(seen, seed))
      for name, times in pairs(seen) do
        total[name] = (total[name] or 0) + times
      end
    end
    -- A game in which these do not happen proves nothing.
    for name, times in pairs(SEED and {} or total) do
      assert(times >= GAMES // 4, ("only %d %s"):format(times, name))
    end
  end)
end)

local simulation = require("spec.support.simulation")

local STEPS_A_GAME = 2000
local STEPS = tonumber(os.getenv("LAGOON_STEPS") or 1000000)
local SEED = tonumber(os.getenv("LAGOON_SEED"))

describe("dispatcher and offsets", function()
  it("keep their promises in whatever order things happen", function()
    local first = SEED or os.time() * 1000
    local total = {}
    for game = 0, math.max(1, STEPS // STEPS_A_GAME) - 1 do
      for name, times in pairs(simulation.play(first + game, STEPS_A_GAME)) do
        total[name] = (total[name] or 0) + times
      end
    end
    -- A simulation in which these do not happen proves nothing.
    if STEPS >= 200000 then
      for name, times in pairs(total) do
        assert(times >= STEPS // 10000, ("only %d %s"):format(times, name))
      end
    end
  end)
end)

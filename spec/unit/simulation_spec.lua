local rows = require("spec.support.simulation_rows")

local EVENTS = tonumber(os.getenv("LAGOON_STEPS") or 400000)
-- The same each time, so that a change is judged by itself; make simulate goes further.
local SEED = tonumber(os.getenv("LAGOON_SEED")) or 1

describe("what decides", function()
  it("keeps its promises in whatever order things happen", function()
    local total = { events = 0, games = 0 }
    local problem = rows.play(SEED, EVENTS, total)
    assert(not problem, ("LAGOON_SEED=%d: %s"):format(SEED, problem))
    -- A simulation in which these do not happen proves nothing.
    if EVENTS >= 200000 then
      for name, times in pairs(total) do
        assert(times >= EVENTS // 20000 or name == "games", ("only %d %s"):format(times, name))
      end
    end
  end)
end)

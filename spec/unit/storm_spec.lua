local storm = require("unit").storm

local SEED = tonumber(os.getenv("LAGOON_SEED")) or os.time()
local PATIENCE = tonumber(os.getenv("LAGOON_SPEC_PATIENCE") or 1)
local DEADLINE_MS = 20000

describe("dispatcher under threads", function()
  local function blow(options)
    options.seed, options.deadline_ms = SEED, DEADLINE_MS * PATIENCE
    local epochs, message = storm.blow(options)
    assert(epochs, ("%s (LAGOON_SEED=%d)"):format(message, SEED))
    assert.is_true(epochs > options.lanes)
  end

  for _, distribution in ipairs({ "key", "partition", "free_worker" }) do
    for _, workers in ipairs({ 1, 2, 8, 100 }) do
      local name = ("loses no record, no order and no wake with %d workers under %s"):format(
        workers, distribution)
      it(name, function()
        blow({ distribution = distribution, workers = workers, hands = workers == 100 and 1 or 3,
          lanes = 4, records = 10000, keys = 50 })
      end)
    end
  end

  it("keeps the order of a single key that all records share", function()
    blow({ distribution = "key", workers = 4, hands = 2, lanes = 1, records = 20000, keys = 1 })
  end)
end)

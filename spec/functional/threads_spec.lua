local process = require("spec.support.process")
local wait = require("spec.support.wait")

local STORM = (os.getenv("LAGOON_BUILD") or "build") .. "/storm"
local SEED = tonumber(os.getenv("LAGOON_SEED")) or os.time()
local DEADLINE_MS = 20000 * wait.patience

describe("dispatcher under threads", function()
  local function blow(options)
    local numbers = { options.workers, options.hands, options.lanes, options.records, options.keys,
      SEED, DEADLINE_MS }
    local words = { STORM, options.distribution }
    for _, number in ipairs(numbers) do
      table.insert(words, ("%d"):format(number))
    end
    local run = process.run(words, nil, 2 * DEADLINE_MS)
    assert(run.code == 0, ("%s: %s"):format(run.name, run:stderr()))
    local epochs = tonumber(run:stdout():match("^(%d+) epochs"))
    assert.is_true(epochs > options.lanes)
  end

  for _, distribution in ipairs({ "key", "partition", "free_worker" }) do
    for _, workers in ipairs({ 1, 2, 8, 100 }) do
      local name = "loses no record, order, wake or generation with %d workers under %s"
      it(name:format(workers, distribution), function()
        blow({ distribution = distribution, workers = workers, hands = workers == 100 and 1 or 3,
          lanes = 4, records = 10000, keys = 50 })
      end)
    end
  end

  it("keeps the order of a single key that all records share", function()
    blow({ distribution = "key", workers = 4, hands = 2, lanes = 1, records = 20000, keys = 1 })
  end)
end)

-- The oracle that judges specs and scenarios finds faults that are planted in the program; make
-- chaos-selftest plants all of them.

local broker = require("spec.support.broker")
local lagoon = require("spec.support.lagoon")
local planting = require("spec.chaos.planting")
local trial = require("spec.chaos.trial")
local uv = require("luv")

local BUILD = os.getenv("LAGOON_BUILD") or "build"

describe("The oracle on Kafka", function()
  local path = lagoon.path

  after_each(function()
    lagoon.path = path
  end)

  local function find(name)
    local plant = planting.find(name)
    lagoon.path = ("%s/%s/lagoon"):format(uv.cwd(), planting.build(plant, BUILD))
    local scenario = require("spec.chaos.pointed." .. plant.scenario)
    assert.equal(plant.verdict, (trial.new(broker.start().brokers, plant.options):run(scenario)))
  end

  it("finds a program that commits what it has only read", function()
    find("commit_at_poll")
  end)

  it("finds a program that lets the next of a key pass one that waits", function()
    find("strand_moves_on_at_wait")
  end)

  it("finds a program that counts a dead letter before it is written", function()
    find("letter_settles_at_once")
  end)
end)

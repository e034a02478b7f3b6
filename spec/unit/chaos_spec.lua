local dice = require("spec.chaos.dice")
local directory = require("spec.support.directory")
local docs = require("spec.support.docs")

local FOLDER = "spec/chaos/scenarios"

-- How many of these fields it has.
local function count_of(scenario, ...)
  local count = 0
  for _, field in ipairs({ ... }) do
    count = count + (scenario[field] ~= nil and 1 or 0)
  end
  return count
end

describe("make chaos", function()
  it("has each of its scenarios in the table of figures, and no other", function()
    local documented = {}
    local figures = docs.section(directory.read("docs/reliability.md"), "## Figures")
    for _, cells in ipairs(docs.rows(figures)) do
      local name = cells[1]:match("^`make chaos SCENARIO=([%w-]+)[^`]*`$")
      table.insert(documented, name or cells[1] == "`make chaos`" and "mixed" or nil)
    end
    table.sort(documented)
    assert.same(directory.modules(FOLDER), documented)
  end)

  it("knows of each what it is, how long it lasts and what handlers are asked to do", function()
    for _, name in ipairs(directory.modules(FOLDER)) do
      local scenario = require("spec.chaos.scenarios." .. name)
      assert.is_string(scenario.says, name)
      assert.is_true(#scenario.says <= 90, name)
      assert.equal("integer", math.type(scenario.records), name)
      assert.equal(1, count_of(scenario, "rate", "backlog", "fills"), name)
      assert.equal(scenario.faults and 1 or 0, count_of(scenario, "count", "seconds"), name)
    end
  end)

  it("throws the same dice again for the same seed, others for another, and all of them", function()
    local function throws(seed, name)
      local throw, list = dice.new(seed, name), {}
      for i = 1, 200 do
        list[i] = throw(1, 6)
      end
      return list
    end
    assert.same(throws(7, "faults"), throws(7, "faults"))
    assert.are_not.same(throws(7, "faults"), throws(8, "faults"))
    assert.are_not.same(throws(7, "faults"), throws(7, "records"))
    local seen = {}
    for _, number in ipairs(throws(7, "faults")) do
      seen[number] = true
    end
    assert.same({ true, true, true, true, true, true }, seen)
  end)
end)

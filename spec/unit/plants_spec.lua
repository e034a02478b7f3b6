-- The faults that make chaos-selftest plants. One that does not fit the sources any more is mended
-- where it stands, in spec/chaos/plants.

local lfs = require("lfs")

local directory = require("spec.support.directory")
local planting = require("spec.chaos.planting")

describe("A planted fault", function()
  for _, plant in ipairs(planting.plants()) do
    it("stands in one place of its source: " .. plant.name, function()
      local changed = 0
      for file, source in pairs(planting.apply(plant)) do
        assert.not_equal(directory.read(file), source)
        changed = changed + 1
      end
      assert.is_true(changed > 0)
    end)
  end

  it("has a name of its own, a scenario and a spec that exist, and a verdict that is explained",
    function()
      local readme = directory.read("spec/chaos/README.md")
      local names = {}
      for _, plant in ipairs(planting.plants()) do
        assert.is_nil(names[plant.name], plant.name)
        names[plant.name] = true
        assert.truthy(lfs.attributes(("spec/chaos/pointed/%s.lua"):format(plant.scenario)),
          plant.name)
        assert.truthy(not plant.spec or lfs.attributes(plant.spec), plant.name)
        assert.truthy(readme:find(("\n| %s | "):format(plant.verdict), 1, true), plant.name)
      end
    end)

  it("is what each scenario of spec/chaos/pointed is there for", function()
    local used = {}
    for _, plant in ipairs(planting.plants()) do
      used[plant.scenario] = true
    end
    for _, name in ipairs(directory.modules("spec/chaos/pointed")) do
      assert.is_true(used[name], name)
    end
  end)

  it("is not planted where its text stands twice or not at all", function()
    local function apply(find)
      return planting.apply({ name = "x", edits = { { file = "runtime/util.h", find = find,
        replace = "" } } })
    end
    assert.has_error(function() apply("no such text") end,
      'runtime/util.h has 0 places like "no such text", not one')
    assert.is_false(pcall(apply, "void"))
  end)
end)

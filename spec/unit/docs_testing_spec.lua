local directory = require("spec.support.directory")
local docs = require("spec.support.docs")

local TABLE = docs.rows(docs.section(directory.read("docs/lua.md"), "## Testing"))
local CLASSES, FUNCTIONS = docs.annotations(directory.read("lua/testing.d.lua"))

local function row_of(name)
  for _, cells in ipairs(TABLE) do
    if docs.code_spans(cells[1])[1]:match("^[%w_.]+") == name then
      return cells[2]
    end
  end
  error("there is no row for " .. name)
end

describe("the reference of lagoon.testing", function()
  it("lists its functions as an editor completes them", function()
    local listed, expected = {}, {}
    for _, cells in ipairs(TABLE) do
      table.insert(listed, cells[1]:match("^`(testing%.%w+)"))
    end
    for _, name in ipairs(FUNCTIONS) do
      table.insert(expected, name:match("^testing%.%w+$"))
    end
    assert.is_true(#expected >= 3)
    assert.same(expected, listed)
  end)

  for class, row in pairs({ Record = "testing.handle", Outcome = "outcome",
    Publication = "published", Line = "outcome" }) do
    it("names every field of a " .. class:lower(), function()
      local text = row_of(row)
      for _, field in ipairs(CLASSES["lagoon.testing." .. class]) do
        assert(text:find("[`{ ]" .. field.name .. "[`},]"), row .. " does not name " .. field.name)
      end
    end)
  end
end)

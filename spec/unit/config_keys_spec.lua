-- Every key of the schema: what it says of a wrong value, and that it takes its own default.

local config_file = require("spec.support.config_file")
local schema = require("lagoon.config.schema")

-- What stands around the key of a path, on lines before and behind it.
local AROUND = {
  [""] = { "return {", "}" },
  cluster = { "return { cluster = {", "} }" },
  topics = { "return { topics = { n = {", "} } }" },
  producers = { "return { producers = { n = {", "} } }" },
  consumers = { "return { consumers = { n = {", "} } }" },
}

---@param visit fun(row: lagoon.config.Row, top: string, path: string[])
local function walk(row, top, path, visit)
  for _, field in ipairs(row.fields or {}) do
    local inner_top = top
    local inner = table.move(path, 1, #path, 1, {})
    if top == "" and (AROUND[field.key] or field.key == "clusters") then
      inner_top = field.key
    else
      table.insert(inner, field.key)
      visit(field, top, inner)
    end
    local record = field.type == "map" and field.of or field
    local is_inside = field.type == "record" or inner_top ~= top
    if field.key ~= "clusters" and record.fields and is_inside then
      walk(record, inner_top, inner, visit)
    end
  end
end

-- A config with this value at the key, which then stands alone on line 2.
local function write(top, path, value)
  local text = value
  for i = #path, 1, -1 do
    text = i == 1 and ("%s = %s"):format(path[i], text) or ("{ %s = %s }"):format(path[i], text)
  end
  return table.concat({ AROUND[top][1], text, AROUND[top][2] }, "\n")
end

local function path_of(top, path)
  local prefix = top == "" and "" or top == "cluster" and "cluster." or top .. ".n."
  return prefix .. table.concat(path, ".")
end

-- The problems that the key itself has; others are missing around it.
local function problems_of(top, path, value)
  local found = {}
  local _, problems = config_file.load(write(top, path, value))
  local start = ("config.lua:2: %s: "):format(path_of(top, path))
  for _, problem in ipairs(problems or {}) do
    if problem:sub(1, #start) == start then
      table.insert(found, problem:sub(#start + 1))
    end
  end
  return found
end

local function literal(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

describe("every key of the config", function()
  it("refuses what it cannot be, at its line, and says what it must be", function()
    local count = 0
    walk(schema, "", {}, function(row, top, path)
      local shown = row.secret and "" or ", got a function"
      local problems = problems_of(top, path, "function() end")
      assert.equal(1, #problems, path_of(top, path))
      assert(problems[1]:find("^must be ") and problems[1]:sub(-#shown) == shown
        or shown == "", path_of(top, path) .. ": " .. problems[1])
      count = count + 1
    end)
    assert(count > 40, count)
  end)

  it("takes its default as the documents write it", function()
    local count = 0
    walk(schema, "", {}, function(row, top, path)
      if row.default ~= nil then
        assert.same({}, problems_of(top, path, literal(row.default)), path_of(top, path))
        count = count + 1
      end
    end)
    assert(count > 20, count)
  end)

  it("takes every word that it lists and no other", function()
    walk(schema, "", {}, function(row, top, path)
      for _, word in ipairs(row.values or {}) do
        local of_others = word == "PLAIN" or word == "error" -- they need another key too
        assert(of_others or #problems_of(top, path, literal(word)) == 0, word)
      end
      if row.values then
        assert.same(1, #problems_of(top, path, '"qqqqqqqqqqqq"'), path_of(top, path))
      end
    end)
  end)

  it("has limits that hold at both ends", function()
    local function beyond(limit, step)
      local amount, unit = tostring(limit):match("^(%-?%d+)(%a*)$")
      return literal(unit == "" and math.tointeger(tonumber(amount)) + step or
        ("%d%s"):format(tonumber(amount) + step, unit))
    end
    walk(schema, "", {}, function(row, top, path)
      local has_lowest = row.min and tostring(row.min):match("^%-?%d+") ~= "0"
      if has_lowest then
        assert.equal(1, #problems_of(top, path, beyond(row.min, -1)), path_of(top, path))
      end
      if row.max then
        assert.equal(1, #problems_of(top, path, beyond(row.max, 1)), path_of(top, path))
      end
    end)
  end)
end)

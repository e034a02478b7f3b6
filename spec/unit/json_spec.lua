local json = require("unit").json

local lagoon_json = json.library

-- What an error raised by the function says, and at which place of this file.
local function raised(call)
  local is_done, message = pcall(call)
  assert.is_false(is_done)
  local line, text = message:match("^spec/unit/json_spec%.lua:(%d+): (.*)$")
  assert.is_truthy(text, message)
  local first = debug.getinfo(call, "S")
  assert.is_true(tonumber(line) > first.linedefined and tonumber(line) < first.lastlinedefined)
  return text
end

describe("lagoon.json", function()
  it("reads and writes", function()
    assert.equal('{"items":[]}', lagoon_json.encode(lagoon_json.decode(' { "items" : [ ] } ')))
    assert.equal("[1,1.0,null]", lagoon_json.encode(lagoon_json.decode("[1,1.0,null]")))
  end)

  it("keeps nulls", function()
    assert.same({ note = json.null }, lagoon_json.decode('{"note":null}'))
  end)

  it("sorts keys on request", function()
    local value = { d = 1, a = 2, c = 3, b = 4, e = 5 }
    local sorted = '{"a":2,"b":4,"c":3,"d":1,"e":5}'
    assert.equal(sorted, lagoon_json.encode(value, { sort_keys = true }))
    assert.equal(#sorted, #lagoon_json.encode(value, { sort_keys = false }))
    assert.equal(#sorted, #lagoon_json.encode(value, {}))
    assert.equal(#sorted, #lagoon_json.encode(value, nil))
  end)

  it("makes and marks arrays", function()
    local list = {}
    assert.equal(list, lagoon_json.array(list))
    assert.equal("[]", lagoon_json.encode(list))
    assert.equal("[]", lagoon_json.encode(lagoon_json.array()))
    assert.equal("[]", lagoon_json.encode(lagoon_json.array(lagoon_json.array())))
    assert.is_false(rawequal(lagoon_json.array(), lagoon_json.array()))
    list[1] = "still"
    assert.equal('["still"]', lagoon_json.encode(list))
  end)

  it("says where in the script and where in the text reading failed", function()
    assert.equal("json.decode: byte 7: expected a value, found '}'", raised(function()
      local text = '{"a": [}'
      text = lagoon_json.decode(text)
      return text
    end))
  end)

  it("says where in the script and at which path writing failed", function()
    assert.equal("json.encode: items[1].price: infinity has no JSON form", raised(function()
      local text = lagoon_json.encode({ items = { { price = math.huge } } })
      return text
    end))
  end)

  it("works on after an error", function()
    for _ = 1, 3 do
      assert.is_false(pcall(lagoon_json.encode, { 1, 2, print }))
      assert.equal("[1,2]", lagoon_json.encode({ 1, 2 }))
      assert.is_false(pcall(lagoon_json.decode, "[1,2"))
      assert.same({ 1, 2 }, lagoon_json.decode("[1,2]"))
    end
  end)

  it("works on after a large value", function()
    local large = ("x"):rep(1024 * 1024)
    assert.equal(#large + 2, #lagoon_json.encode(large))
    assert.equal("[1]", lagoon_json.encode({ 1 }))
  end)

  it("refuses wrong arguments", function()
    for argument, call in pairs({
      ["#1 to 'encode' %(value expected%)"] = function() local _ = lagoon_json.encode() end,
      ["#2 to 'encode' %(table expected, got boolean%)"] = function()
        local _ = lagoon_json.encode(1, true)
      end,
      ["#2 to 'encode' %(the only option is sort_keys%)"] = function()
        local _ = lagoon_json.encode(1, { sort_key = true })
      end,
      ["#2 to 'encode' %(sort_keys is true or false%)"] = function()
        local _ = lagoon_json.encode(1, { sort_keys = 1 })
      end,
      ["#1 to 'decode' %(string expected, got number%)"] = function()
        local _ = lagoon_json.decode(1)
      end,
      ["#1 to 'array' %(table expected, got nil%)"] = function()
        local _ = lagoon_json.array(nil)
      end,
      ["#1 to 'array' %(this table has a metatable already%)"] = function()
        local _ = lagoon_json.array(setmetatable({}, {}))
      end,
    }) do
      local is_done, message = pcall(call)
      assert.is_false(is_done)
      assert.matches("bad argument " .. argument, message)
    end
  end)

  it("gives the mark of arrays to what was read too", function()
    local list = lagoon_json.decode("[]")
    assert.is_true(json.is_marked(list))
    assert.is_true(json.is_marked(lagoon_json.array()))
    assert.is_false(json.is_marked({}))
    assert.is_false(json.is_marked(setmetatable({}, {})))
    assert.is_false(json.is_marked("text"))
  end)
end)

describe("json, when memory runs out,", function()
  -- Every allocation fails once; what is left behind in the end is checked too.
  local function assert_only_memory_errors(text)
    local ran_out, other = json.exhaust(text)
    assert.is_true(ran_out > 10)
    assert.equal(0, other)
  end

  it("raises Lua's memory error for tables and strings", function()
    local long = ("\\n\u{20ac}"):rep(1000)
    assert_only_memory_errors(('{"a":[1,2.5,{"b":"%s"}],"c":"%s"}'):format(long, ("y"):rep(100)))
  end)

  it("raises Lua's memory error for wide values", function()
    local items, members = {}, {}
    for i = 1, 100 do
      items[i] = tostring(i)
      members[i] = ('"key%d":[%d]'):format(i, i)
    end
    assert_only_memory_errors("[" .. table.concat(items, ",") .. "]")
    assert_only_memory_errors("{" .. table.concat(members, ",") .. "}")
  end)

  it("raises Lua's memory error for deep values, also where its stack cannot grow", function()
    assert_only_memory_errors(('[1,{"a":2,"b":'):rep(60) .. "0" .. ("}]"):rep(60))
  end)
end)

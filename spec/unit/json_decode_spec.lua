local json = require("unit").json

local function decode(text, nulls)
  local value, message = json.decode(text, nulls or "keep")
  assert.is_nil(message)
  return value
end

local function count(table)
  local keys = 0
  for _ in next, table do
    keys = keys + 1
  end
  return keys
end

describe("json reading", function()
  it("keeps arrays apart from objects, empty ones too", function()
    local value = decode('{"a":[],"o":{},"n":[[1],[]]}')
    assert.is_true(json.is_marked(value.a))
    assert.is_true(json.is_marked(value.n))
    assert.is_true(json.is_marked(value.n[1]))
    assert.is_true(json.is_marked(value.n[2]))
    assert.is_false(json.is_marked(value.o))
    assert.is_false(json.is_marked(value))
    assert.equal(getmetatable(value.a), getmetatable(decode("[1]")))
  end)

  it("drops the nulls of objects when asked to, and never those of arrays", function()
    local text = '{"a":null,"b":[null,1,null],"c":{"d": null ,"e":2}}'
    assert.same({ b = { json.null, 1, json.null }, c = { e = 2 } }, decode(text, "drop"))
    assert.same({
      a = json.null,
      b = { json.null, 1, json.null },
      c = { d = json.null, e = 2 },
    }, decode(text, "keep"))
    assert.equal(json.null, decode("null", "drop"))
    assert.same({}, decode('{"a":null}', "drop"))
  end)

  it("has the null of lua-cjson", function()
    assert.equal(require("cjson").null, decode("null"))
  end)

  it("lets the last of equal keys win", function()
    assert.same({ a = 3, b = 2 }, decode('{"a":1,"b":2,"a":3}'))
    assert.same({ a = 2 }, decode('{"a":1,"\\u0061":2}'))
    assert.same({ a = 2 }, decode('{"\\u0061":1,"a":2}'))
    assert.same({ [""] = 2 }, decode('{"":1,"":2}'))
    local long = ("k"):rep(100)
    assert.same({ [long] = 2 }, decode(('{"%s":1,"%s":2}'):format(long, long)))
    assert.same({}, decode('{"a":1,"a":null}', "drop"))
    assert.same({ a = 1 }, decode('{"a":null,"a":1}', "drop"))
  end)

  it("lets the last of equal keys win at any distance", function()
    for distance = 1, 80 do
      local members = { '"twice":1' }
      for i = 1, distance do
        members[#members + 1] = ('"key%d":%d'):format(i, i)
      end
      members[#members + 1] = '"twice":2'
      local value = decode("{" .. table.concat(members, ",") .. "}")
      assert.equal(2, value.twice)
      assert.equal(distance + 1, count(value))
    end
  end)

  it("reads arrays and objects of every size", function()
    for size = 0, 150 do
      local items, members = {}, {}
      for i = 1, size do
        items[i] = tostring(i)
        members[i] = ('"k%d":%d'):format(i, i)
      end
      local array = decode("[" .. table.concat(items, ",") .. "]")
      local object = decode("{" .. table.concat(members, ",") .. "}")
      assert.equal(size, #array)
      assert.equal(size, count(array))
      assert.equal(size, count(object))
      for i = 1, size do
        assert.equal(i, array[i])
        assert.equal(i, object["k" .. i])
      end
    end
  end)

  it("reads 128 levels", function()
    local value = decode(("["):rep(128) .. ("]"):rep(128))
    for _ = 1, 127 do
      value = value[1]
    end
    assert.same({}, value)
    assert.is_table(decode(('{"a":'):rep(127) .. "{}" .. ("}"):rep(127)))
    assert.is_table(decode("[" .. ("[[]],"):rep(1000) .. "[]]"))
  end)
end)

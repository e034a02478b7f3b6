local json = require("unit").json

local function decode(text, nulls)
  local value, message = json.decode(text, nulls or "keep")
  assert.is_nil(message)
  return value
end

-- The message that refuses the text.
local function refusal(text)
  local value, message = json.decode(text, "keep")
  assert.is_nil(value)
  return message
end

local function assert_number(expected, text)
  local value = decode(text)
  assert.equal(math.type(expected), math.type(value), text)
  assert.equal(("%a"):format(expected), ("%a"):format(value), text)
end

local function count(table)
  local keys = 0
  for _ in next, table do
    keys = keys + 1
  end
  return keys
end

local function power_of_5(exponent)
  local digits = { 1 }
  for _ = 1, exponent do
    local carry = 0
    for i = 1, #digits do
      carry = carry + digits[i] * 5
      digits[i] = carry % 10
      carry = carry // 10
    end
    digits[#digits + 1] = carry > 0 and carry or nil
  end
  return table.concat(digits):reverse()
end

describe("json reading", function()
  it("keeps integers as integers over all 64 bits", function()
    for text, value in pairs({
      ["0"] = 0,
      ["-0"] = 0,
      ["42"] = 42,
      ["-7"] = -7,
      ["9007199254740993"] = 9007199254740993,
      ["999999999999999999"] = 999999999999999999,
      ["1000000000000000000"] = 1000000000000000000,
      ["9223372036854775807"] = math.maxinteger,
      ["-9223372036854775808"] = math.mininteger,
    }) do
      assert.equal("integer", math.type(decode(text)), text)
      assert.equal(value, decode(text), text)
    end
  end)

  it("refuses integers beyond 64 bits and says so", function()
    local expected = "byte %d: expected an integer from -2^63 to 2^63-1, found %s"
    for _, text in ipairs({
      "9223372036854775808", "-9223372036854775809", "18446744073709551616",
      "10000000000000000000", "18446744073709551617", "-99999999999999999999",
    }) do
      assert.equal(expected:format(0, text), refusal(text))
      assert.equal(expected:format(6, text), refusal('{"a": ' .. text .. "}"))
    end
    assert.equal(expected:format(0, ("7"):rep(40) .. "..."), refusal(("7"):rep(1000)))
  end)

  it("reads decimals as the nearest double", function()
    for text, value in pairs({
      ["0.0"] = 0.0,
      ["-0.0"] = -0.0,
      ["0e999999999999999999999"] = 0.0,
      ["1.0"] = 1.0,
      ["1e2"] = 100.0,
      ["1E+2"] = 100.0,
      ["100e-2"] = 1.0,
      ["129.90"] = 129.9,
      ["0.1"] = 0x1.999999999999ap-4,
      ["1e22"] = 0x1.0f0cf064dd592p+73,
      ["1e23"] = 0x1.52d02c7e14af6p+76,
      ["9007199254740993.0"] = 0x1p+53,
      ["9007199254740993.00000000000000000000000000000000001"] = 0x1.0000000000001p+53,
      ["9007199254740995.0"] = 0x1.0000000000002p+53,
      ["1.7976931348623157e308"] = 0x1.fffffffffffffp+1023,
      ["2.2250738585072014e-308"] = 0x1p-1022,
      ["2.2250738585072011e-308"] = 0x0.fffffffffffffp-1022,
      ["4.9e-324"] = 0x0.0000000000001p-1022,
      ["2.4703282292062327e-324"] = 0.0,
      ["2.4703282292062328e-324"] = 0x0.0000000000001p-1022,
      ["1e-400"] = 0.0,
      ["123456789012345678901234567890.0"] = 0x1.8ee90ff6c373ep+96,
    }) do
      assert_number(value, text)
      assert_number(-value, text:sub(1, 1) == "-" and text:sub(2) or "-" .. text)
    end
  end)

  it("reads as many digits as there are", function()
    local one = "1" .. ("0"):rep(100000)
    assert_number(1.0, one .. "e-100000")
    assert_number(1.0, "0." .. ("0"):rep(99999) .. "1e100000")
    -- 5^1075 * 10^-1075 is half of the smallest double: 752 digits, and all of them matter.
    local half = power_of_5(1075) .. "." .. ("0"):rep(2000)
    assert_number(0.0, half .. "e-1075")
    assert_number(0x1p-1074, half .. "1e-1075")
    local middle = "9007199254740993." .. ("0"):rep(2000)
    assert_number(0x1p+53, middle)
    assert_number(0x1.0000000000001p+53, middle .. "1")
  end)

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

local json = require("unit").json

local function decode(text)
  local value, message = json.decode(text, "keep")
  assert.is_nil(message)
  return value
end

local function encode(value)
  local text, message = json.encode(value)
  assert.is_nil(message)
  return text
end

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

local function count_digits(text)
  return #text:gsub("e.*", ""):gsub("%D", ""):gsub("^0*", ""):gsub("0*$", "")
end

local function fewest_digits(value)
  for digits = 1, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) + 0.0 == value then
      return count_digits(text)
    end
  end
end

describe("json numbers", function()
  it("are read as integers over all 64 bits", function()
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

  it("are refused as integers beyond 64 bits, saying so", function()
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

  it("are read as the nearest double", function()
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
      ["4503599627370496.5"] = 0x1p+52,
      ["4503599627370497.5"] = 0x1.0000000000002p+52,
      ["1844674407370955161.7"] = 0x1.999999999999ap+60,
      ["18446744073709551616.0"] = 0x1p+64,
      ["18446744073709551617000.0"] = 0x1.f4p+73,
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

  it("are read in all their digits", function()
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

  it("are written as integers when they are", function()
    for _, text in ipairs({
      "0", "7", "-7", "10", "99", "100", "12345", "1000000000000000", "9007199254740993",
      "9223372036854775807", "-9223372036854775808",
    }) do
      assert.equal(text, encode(math.tointeger(text)))
    end
  end)

  it("are written as floats in the fewest digits that read back", function()
    for text, value in pairs({
      ["0.0"] = 0.0,
      ["-0.0"] = -0.0,
      ["1.0"] = 1.0,
      ["-100.0"] = -100.0,
      ["129.9"] = 129.90,
      ["0.1"] = 0.1,
      ["0.30000000000000004"] = 0.1 + 0.2,
      ["0.3333333333333333"] = 1 / 3,
      ["123456.789"] = 123456.789,
      ["0.0001"] = 1e-4,
      ["1e-5"] = 1e-5,
      ["1.25e-5"] = 1.25e-5,
      ["1000000000000000.0"] = 1e15,
      ["9007199254740992.0"] = 2.0 ^ 53,
      ["1e16"] = 1e16,
      ["1.8014398509481984e16"] = 2.0 ^ 54,
      ["1.8014398509481988e16"] = 0x1.0000000000001p+54,
      ["1e22"] = 1e22,
      ["1e23"] = 1e23,
      ["9.223372036854776e18"] = 2.0 ^ 63,
      ["1.7976931348623157e308"] = 0x1.fffffffffffffp+1023,
      ["2.2250738585072014e-308"] = 0x1p-1022,
      ["5e-324"] = 0x1p-1074,
      ["7.120236347223045e-307"] = 0x1p-1017,
      ["2e-323"] = 0x1p-1072,
    }) do
      assert.equal(text, encode(value))
    end
  end)

  it("are written with no digit too many, whatever the float", function()
    math.randomseed(1)
    for _ = 1, 20000 do
      local value = math.abs(string.unpack("<d", string.pack("<i8", math.random(0))))
      if value > 0 and value < math.huge then
        local text = encode(value)
        assert.equal(value, tonumber(text), text)
        assert.is_true(count_digits(text) <= fewest_digits(value), text)
      end
    end
  end)
end)

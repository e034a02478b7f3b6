local json = require("unit").json

local function encode(value)
  local text, message = json.encode(value)
  assert.is_nil(message)
  return text
end

local function marked(table)
  json.mark(table)
  return table
end

local function refusal(value)
  local text, message = json.encode(value)
  assert.is_nil(text)
  local sorted_text, sorted_message = json.encode(value, true)
  assert.is_nil(sorted_text)
  assert.equal(message, sorted_message)
  return message
end

describe("json writing", function()
  it("escapes what has to be and nothing else", function()
    assert.equal([["\"\\/\b\f\n\r\t"]], encode("\"\\/\b\f\n\r\t"))
    assert.equal([["\u0000\u0001\u001f]] .. ' \x7f"', encode("\0\1\x1f \x7f"))
    for code = 0, 0x1f do
      local text = encode("12345678" .. string.char(code) .. "9")
      assert.matches('^"12345678\\[bfnrtu0-9a-f]+9"$', text)
      assert.equal("12345678" .. string.char(code) .. "9", (json.decode(text, "keep")))
    end
    for length = 0, 40 do
      local plain = ("x"):rep(length)
      assert.equal('"' .. plain .. '"', encode(plain))
      assert.equal('"' .. plain .. '\\n"', encode(plain .. "\n"))
    end
  end)

  it("writes UTF-8 as it is", function()
    for _, code in ipairs({
      0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x3ffff,
      0x40000, 0xfffff, 0x100000, 0x10ffff,
    }) do
      local text = utf8.char(code)
      assert.equal('"' .. text .. '"', encode(text))
      assert.equal(text, (json.decode('"' .. text .. '"', "keep")))
    end
  end)

  it("takes keys from 1 to n for an array, in whatever order Lua keeps them", function()
    assert.equal("[1,2,3]", encode({ 1, 2, 3 }))
    local backwards = {}
    for i = 20, 1, -1 do
      backwards[i] = i
    end
    local mixed = { 1, 2, 3, 4 }
    mixed[6], mixed[5] = 6, 5
    assert.equal("[1,2,3,4,5,6]", encode(mixed))
    assert.equal("[" .. table.concat(backwards, ",") .. "]", encode(backwards))
  end)

  it("takes string keys for an object, and no keys for one unless there is the mark", function()
    assert.equal('{"1":2}', encode({ ["1"] = 2 }))
    assert.equal('{"":{}}', encode({ [""] = {} }))
    assert.equal("{}", encode({}))
    assert.equal("[]", encode(marked({})))
    assert.equal("[[],[1]]", encode({ marked({}), marked({ 1 }) }))
  end)

  it("writes null, true, false and nil", function()
    assert.equal("[null,true,false]", encode({ json.null, true, false }))
    assert.equal("null", encode(nil))
  end)

  it("sorts keys by their bytes when asked to", function()
    local value = { b = 1, a = { z = 1, y = 2 }, ab = { { d = 1, c = 2 } } }
    value[""], value["\u{e4}"] = 3, 4
    assert.equal('{"":3,"a":{"y":2,"z":1},"ab":[{"c":2,"d":1}],"b":1,"\u{e4}":4}',
      (json.encode(value, true)))
    local long = ("k"):rep(60)
    assert.equal(('{"%s":1,"%s!":2}'):format(long, long),
      (json.encode({ [long .. "!"] = 2, [long] = 1 }, true)))
  end)

  it("asks no metamethods", function()
    local function never()
      error("a metamethod was asked")
    end
    local all = {
      __index = never, __pairs = never, __len = never, __tostring = never, __name = "no",
    }
    assert.equal('{"a":1}', encode(setmetatable({ a = 1 }, all)))
    assert.equal("[1]", encode(setmetatable({ 1 }, all)))
    assert.equal("{}", encode(setmetatable({}, all)))
  end)

  it("writes 128 levels", function()
    local value = marked({})
    for _ = 1, 127 do
      value = { value }
    end
    assert.equal(("["):rep(128) .. ("]"):rep(128), encode(value))
    assert.equal(("[1]"):rep(8) .. "..." .. ("[1]"):rep(8) ..
      ": more than 128 levels, or a table within itself", refusal({ value }))
  end)

  it("writes 64 MiB and no more", function()
    local half = ("x"):rep(32 * 1024 * 1024 - 4)
    assert.equal(64 * 1024 * 1024, #encode({ half, half .. "x" }))
    assert.equal("here the text exceeds 67108864 bytes", refusal({ half, half .. "xx" }))
    assert.equal("here the text exceeds 67108864 bytes", refusal(half .. half .. "1234567"))
    assert.equal("here the text exceeds 67108864 bytes", refusal(("\0"):rep(12 * 1024 * 1024)))
    local doubled = { ("x"):rep(10000) }
    for _ = 1, 100 do
      doubled = { doubled, doubled }
    end
    assert.matches("^[%[%]12.]+: here the text exceeds 67108864 bytes$", refusal(doubled))
  end)
end)

local json = require("unit").json

local NAN <const> = 0 / 0

local function marked(table)
  json.mark(table)
  return table
end

local long = ("k"):rep(100)

-- What is refused, and why.
local REFUSED = {
  { NAN, "NaN has no JSON form" },
  { -NAN, "NaN has no JSON form" },
  { math.huge, "infinity has no JSON form" },
  { { total = -math.huge }, "total: -infinity has no JSON form" },
  { { items = { 1, 2, { price = NAN } } }, "items[3].price: NaN has no JSON form" },
  { { { { NAN } } }, "[1][1][1]: NaN has no JSON form" },
  { print, "a function has no JSON form" },
  { { on = { click = print } }, "on.click: a function has no JSON form" },
  { { coroutine.create(print) }, "[1]: a thread has no JSON form" },
  { { json.pointer }, "[1]: a userdata has no JSON form" },
  { { io.stdout }, "[1]: a userdata has no JSON form" },

  { { 1, nil, 3 }, "an array with a hole at [2]" },
  { { rows = { [5] = 1 } }, "rows: an array with a hole at [1]" },
  { { [math.maxinteger] = 1 }, "an array with a hole at [1]" },
  { { rows = marked({ 1, 2, nil, 4 }) }, "rows: an array with a hole at [3]" },
  { { [0] = 0, 1, 2 }, "an array that does not start at 1 but at 0" },
  { { [0] = 0, [2] = 2 }, "an array that does not start at 1 but at 0" },
  { { [-3] = 0 }, "an array that does not start at 1 but at -3" },
  { { 1, 2, x = 3 }, "a table with both strings and integers as keys" },
  { { a = { [7] = 1, x = 3 } }, "a: a table with both strings and integers as keys" },
  { marked({ x = 1 }), "a table marked as an array, with strings as keys" },
  { marked({ 1, x = 1 }), "a table with both strings and integers as keys" },
  { { [1.5] = 1 }, "a table with a float as a key" },
  { { a = { [true] = 1 } }, "a: a table with a boolean as a key" },
  { { 1, 2, [{}] = 1 }, "a table with a table as a key" },
  { { x = 1, [print] = 1 }, "a table with a function as a key" },
  { { [json.null] = 1 }, "a table with a userdata as a key" },

  { "\xff", "the string is not valid UTF-8 at byte 0" },
  { { name = "12345678\xc3(" }, "name: the string is not valid UTF-8 at byte 8" },
  { { name = "\u{e4}\xed\xa0\x80" }, "name: the string is not valid UTF-8 at byte 2" },
  { { name = "cut \xf0\x9f\x98" }, "name: the string is not valid UTF-8 at byte 4" },
  { { a = { ["b\xc0\x80"] = 1 } },
    [[a["b\xc0\x80"]: the key is not valid UTF-8 at byte 1]] },

  { { ["two words"] = print }, '["two words"]: a function has no JSON form' },
  { { a = { [""] = print } }, 'a[""]: a function has no JSON form' },
  { { ["1st"] = print }, '["1st"]: a function has no JSON form' },
  { { ["gr\u{f6}\u{df}e"] = print }, '["gr\u{f6}\u{df}e"]: a function has no JSON form' },
  { { ["a\nb\"c\0"] = print }, [=[["a\x0ab\x22c\x00"]: a function has no JSON form]=] },
  { { [long] = print }, '["' .. long:sub(1, 59) .. '..."]: a function has no JSON form' },
}

describe("json writing refuses", function()
  for _, case in ipairs(REFUSED) do
    local value, message = case[1], case[2]
    it(message:gsub("%c", " "), function()
      assert.same({ nil, message }, { json.encode(value) })
      assert.same({ nil, message }, { json.encode(value, true) })
    end)
  end

  it("a table within itself", function()
    local value = { name = "loop" }
    value.child = { parent = value }
    local _, message = json.encode({ value })
    assert.equal("[1].child.parent.child.parent.child.parent.child..." ..
      ".parent.child.parent.child.parent.child.parent.child" ..
      ": more than 128 levels, or a table within itself", message)
  end)

  it("a wrong value at the end of a long path, and says why", function()
    local value = print
    for i = 1, 128 do
      value = { [("%d\xff"):format(i):rep(100)] = value }
    end
    local _, message = json.encode(value)
    assert.matches(": the key is not valid UTF%-8 at byte 3$", message)
    assert.is_true(#message < 2000)
  end)
end)

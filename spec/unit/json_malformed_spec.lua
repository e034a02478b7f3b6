local json = require("unit").json

local END = "the end of the text"
local CONTROL = "an escape for a control character"
local HALF = "a character and not one half of a surrogate pair"
local LETTER = 'one of " \\ / b f n r t u behind the backslash'
local LEVELS = "byte 128: expected at most 128 levels of arrays and objects"

-- What is wrong, where (from 0), what should be there and what is.
local MALFORMED = {
  { "", 0, "a value", END },
  { " \t\r\n", 4, "a value", END },
  { "\v1", 0, "a value", "byte 0x0b" },
  { "\xef\xbb\xbf1", 0, "a value", "byte 0xef" },
  { "\0", 0, "a value", "byte 0x00" },

  { "nul", 3, "null", END },
  { "nulL", 3, "null", "'L'" },
  { "t rue", 1, "true", "byte 0x20" },
  { "falsE", 4, "false", "'E'" },
  { "True", 0, "a value", "'T'" },
  { "NaN", 0, "a value", "'N'" },
  { "nan", 1, "null", "'a'" },
  { "Infinity", 0, "a value", "'I'" },
  { "-Infinity", 1, "a digit", "'I'" },
  { "undefined", 0, "a value", "'u'" },

  { "01", 1, "no digit behind a leading 0", "'1'" },
  { "-01", 2, "no digit behind a leading 0", "'1'" },
  { "00", 1, "no digit behind a leading 0", "'0'" },
  { "01.5", 1, "no digit behind a leading 0", "'1'" },
  { "+1", 0, "a value", "'+'" },
  { ".5", 0, "a value", "'.'" },
  { "-", 1, "a digit", END },
  { "--1", 1, "a digit", "'-'" },
  { "-.5", 1, "a digit", "'.'" },
  { "1.", 2, "a digit", END },
  { "[1.]", 3, "a digit", "']'" },
  { "1.e5", 2, "a digit", "'e'" },
  { "1e", 2, "a digit", END },
  { "1e+", 3, "a digit", END },
  { "1e+-1", 3, "a digit", "'-'" },
  { "1.5.5", 3, END, "'.'" },
  { "0x10", 1, END, "'x'" },
  { "1_000", 1, END, "'_'" },
  { "1e400", 0, "a number that a double can hold", "1e400" },
  { "1e309", 0, "a number that a double can hold", "1e309" },
  { "1e324", 0, "a number that a double can hold", "1e324" },
  { "[-1e400]", 1, "a number that a double can hold", "-1e400" },
  { "1.7976931348623159e308", 0, "a number that a double can hold", "1.7976931348623159e308" },

  { '"', 1, "the '\"' that ends the string", END },
  { '"abc', 4, "the '\"' that ends the string", END },
  { '"abc\\"', 6, "the '\"' that ends the string", END },
  { '"a\nb"', 2, CONTROL, "byte 0x0a" },
  { '"\0"', 1, CONTROL, "byte 0x00" },
  { '"0123456789\x1f"', 11, CONTROL, "byte 0x1f" },
  { '"\\x"', 2, LETTER, "'x'" },
  { '"\\U0041"', 2, LETTER, "'U'" },
  { '"\\', 2, LETTER, END },
  { '"\\\n"', 2, LETTER, "byte 0x0a" },
  { '"\\u12', 5, "a hexadecimal digit", END },
  { '"\\u12g4"', 5, "a hexadecimal digit", "'g'" },
  { '"\\u"', 3, "a hexadecimal digit", "'\"'" },
  { '"\\ud800"', 1, HALF, "'\\'" },
  { '"ab\\udfff"', 3, HALF, "'\\'" },
  { '"\\ud800x"', 1, HALF, "'\\'" },
  { '"\\ud800\\n"', 1, HALF, "'\\'" },
  { '"\\ud800\\u0041"', 1, HALF, "'\\'" },
  { '"\\ud800\\ud800\\udc00"', 1, HALF, "'\\'" },
  { '"\\ud800\\u00', 11, "a hexadecimal digit", END },
  { "'a'", 0, "a value", "'''" },

  { '"\xff"', 1, "valid UTF-8", "byte 0xff" },
  { '"a\x80"', 2, "valid UTF-8", "byte 0x80" },
  { '"\xc3"', 1, "valid UTF-8", "byte 0xc3" },
  { '"\xc3', 1, "valid UTF-8", "byte 0xc3" },
  { '"\xe2\x82"', 1, "valid UTF-8", "byte 0xe2" },
  { '"\xe2\x82', 1, "valid UTF-8", "byte 0xe2" },
  { '"\xf0\x9f\x98"', 1, "valid UTF-8", "byte 0xf0" },
  { '"\xf0\x9f\x98', 1, "valid UTF-8", "byte 0xf0" },
  { '"\xc0\x80"', 1, "valid UTF-8", "byte 0xc0" },
  { '"\xc1\xbf"', 1, "valid UTF-8", "byte 0xc1" },
  { '"\xe0\x9f\xbf"', 1, "valid UTF-8", "byte 0xe0" },
  { '"\xf0\x8f\xbf\xbf"', 1, "valid UTF-8", "byte 0xf0" },
  { '"\xed\xa0\x80"', 1, "valid UTF-8", "byte 0xed" },
  { '"\xed\xbf\xbf"', 1, "valid UTF-8", "byte 0xed" },
  { '"\xf4\x90\x80\x80"', 1, "valid UTF-8", "byte 0xf4" },
  { '"\xf5\x80\x80\x80"', 1, "valid UTF-8", "byte 0xf5" },
  { '{"\xff":1}', 2, "valid UTF-8", "byte 0xff" },

  { "[", 1, "a value", END },
  { "[1", 2, "',' or ']'", END },
  { "[1,", 3, "a value", END },
  { "[1,]", 3, "a value", "']'" },
  { "[,1]", 1, "a value", "','" },
  { "[1 2]", 3, "',' or ']'", "'2'" },
  { "[1}", 2, "',' or ']'", "'}'" },
  { "]", 0, "a value", "']'" },
  { "{", 1, "a key in quotes", END },
  { "{1:2}", 1, "a key in quotes", "'1'" },
  { "{a:2}", 1, "a key in quotes", "'a'" },
  { "{,}", 1, "a key in quotes", "','" },
  { '{"a"', 4, "':'", END },
  { '{"a" 1}', 5, "':'", "'1'" },
  { '{"a":}', 5, "a value", "'}'" },
  { '{"a":nul}', 8, "null", "'}'" },
  { '{"a":1', 6, "',' or '}'", END },
  { '{"a":1]', 6, "',' or '}'", "']'" },
  { '{"a":1,}', 7, "a key in quotes", "'}'" },
  { '{"a":1 "b":2}', 7, "',' or '}'", "'\"'" },

  { "1 2", 2, END, "'2'" },
  { "1\0", 1, END, "byte 0x00" },
  { "{}\0 ", 2, END, "byte 0x00" },
  { "[]]", 2, END, "']'" },
  { '{"a":1}\n{"a":2}', 8, END, "'{'" },
  { "1 // one", 2, END, "'/'" },
  { "/* one */ 1", 0, "a value", "'/'" },
}

describe("json refuses", function()
  for _, case in ipairs(MALFORMED) do
    local text, offset, expected, found = table.unpack(case)
    it(("%q at byte %d"):format(text, offset):gsub("\n", "n"), function()
      local message = ("byte %d: expected %s, found %s"):format(offset, expected, found)
      for _, nulls in ipairs({ "keep", "drop" }) do
        assert.same({ nil, message }, { json.decode(text, nulls) })
      end
    end)
  end

  it("more than 128 levels", function()
    assert.same({ nil, LEVELS }, { json.decode(("["):rep(129) .. ("]"):rep(129), "keep") })
    local text = ("["):rep(64) .. ('{"a":['):rep(32) .. "{}"
    assert.same({ nil, "byte 256: expected at most 128 levels of arrays and objects" },
      { json.decode(text, "keep") })
    assert.same({ nil, LEVELS }, { json.decode(("["):rep(1000000), "keep") })
  end)

  it("more than 64 MiB", function()
    local blanks = (" "):rep(64 * 1024 * 1024 - 1)
    assert.equal(7, (json.decode(blanks .. "7", "keep")))
    assert.same({ nil, "byte 67108864: expected at most so many bytes, found 67108865" },
      { json.decode(blanks .. "77", "keep") })
  end)
end)

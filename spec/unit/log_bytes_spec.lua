local log = require("unit").log

local function lines(format, level, write)
  return log.capture(format, level, write)
end

local function only_line(format, write)
  local written = lines(format, "info", write)
  assert.equal(1, #written)
  return written[1]
end

-- The line without the time in front.
local function text(message, fields)
  return (only_line("text", function()
    log.event("info", message, fields)
  end):gsub("^%d%d:%d%d:%d%d%.%d%d%d ", "", 1))
end

-- The object without the time and level in front.
local function json(message, fields)
  return (only_line("json", function()
    log.event("info", message, fields)
  end):gsub('^{"time":"[^"]+","level":"info",', "{", 1))
end

describe("log", function()
  it("writes JSON fields as they are", function()
    local fields = { { "event", { json = '{"id":1,"tags":["a b"]}' } } }
    assert.equal('INFO  m  event={"id":1,"tags":["a b"]}\n', text("m", fields))
    assert.equal('{"message":"m","event":{"id":1,"tags":["a b"]}}\n', json("m", fields))
  end)

  it("keeps a JSON field on its line and in its encoding", function()
    local fields = { { "event", { json = '{"a":1,\n"b":"\xff"}' } } }
    assert.equal('INFO  m  event={"a":1, "b":"\\\\xff"}\n', text("m", fields))
    assert.equal('{"message":"m","event":{"a":1, "b":"\\\\xff"}}\n', json("m", fields))
  end)

  it("indents a text of several lines under the line", function()
    local fields = {
      { "error", "first\nsecond\n\tthird\n" }, { "topic", "orders" }, { "traceback", "x\ny" },
    }
    assert.equal("INFO  failed  topic=orders\n" ..
      "    error:\n      first\n      second\n        third\n" ..
      "    traceback:\n      x\n      y\n", text("failed", fields))
    assert.equal('{"message":"failed","error":"first\\nsecond\\n\\tthird\\n",' ..
      '"topic":"orders","traceback":"x\\ny"}\n', json("failed", fields))
  end)

  it("indents the further lines of a message too", function()
    assert.equal("INFO  first  a=1\n    second\n    third\n",
      text("first\nsecond\nthird", { { "a", 1 } }))
    assert.equal('{"message":"first\\nsecond"}\n', json("first\nsecond"))
  end)

  it("escapes bytes that are no UTF-8", function()
    local broken = {
      ["\xff"] = "\\xff",
      ["\xc3"] = "\\xc3",                                  -- cut off
      ["\xc0\xaf"] = "\\xc0\\xaf",                         -- overlong
      ["\xe0\x80\xaf"] = "\\xe0\\x80\\xaf",                -- overlong
      ["\xf0\x80\x80\xaf"] = "\\xf0\\x80\\x80\\xaf",       -- overlong
      ["\xed\xa0\x80"] = "\\xed\\xa0\\x80",                -- a surrogate
      ["\xf4\x90\x80\x80"] = "\\xf4\\x90\\x80\\x80",       -- beyond U+10FFFF
      ["\x80"] = "\\x80",
      ["é€\u{1F600}"] = "é€\u{1F600}",
    }
    for bytes, escaped in pairs(broken) do
      assert.equal("INFO  a" .. escaped .. "b  key=" .. escaped .. "\n",
        text("a" .. bytes .. "b", { { "key", bytes } }))
      assert.equal('{"message":"a' .. escaped:gsub("\\", "\\\\") .. 'b"}\n',
        json("a" .. bytes .. "b"))
    end
  end)

  it("escapes what would move a terminal's cursor", function()
    assert.equal("INFO  \\u001b[31m\\r\\t\\u007f\\u009b\n", text("\27[31m\r\t\127\u{9b}"))
    assert.equal('{"message":"\\u001b[31m\\r\\t\\u007f\\u009b\\"\\\\"}\n',
      json('\27[31m\r\t\127\u{9b}"\\'))
    assert.equal("INFO  m  key=a\\u0000b\n", text("m", { { "key", "a\0b" } }))
  end)

  it("does not let a field pass for the time, the level or the message", function()
    assert.equal('{"message":"m","message_":"x","level_":"y","time_":"z"}\n',
      json("m", { { "message", "x" }, { "level", "y" }, { "time", "z" } }))
  end)

  it("cuts a text above 16 KiB between two characters", function()
    local long = ("a"):rep(16 * 1024 - 1) .. "é" .. ("b"):rep(98)
    local cut = ("a"):rep(16 * 1024 - 1) .. "... (100 bytes more)"
    assert.equal("INFO  " .. cut .. "\n", text(long))
    assert.equal('{"message":"m","key":"' .. cut .. '"}\n',
      json("m", { { "key", long } }))
    local block = text("m", { { "traceback", "x\n" .. ("y"):rep(20000) } })
    assert.equal("INFO  m\n    traceback:\n      x\n      " .. ("y"):rep(16 * 1024 - 2) ..
      "\n      ... (3618 bytes more)\n", block)
  end)

  it("quotes a text value where it could be mistaken for several", function()
    assert.equal('INFO  m  a="x y" b="" c="x=y" d="say \\"hi\\"" e="a\\\\b" f=plain-1.0\n',
      text("m", { { "a", "x y" }, { "b", "" }, { "c", "x=y" }, { "d", 'say "hi"' }, { "e", "a\\b" },
      { "f", "plain-1.0" } }))
  end)
end)

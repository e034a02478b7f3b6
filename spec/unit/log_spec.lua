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
  it("writes text as time, level, message and fields", function()
    local line = only_line("text", function()
      log.event("info", "message", { { "topic", "orders" }, { "partition", 3 } })
    end)
    assert.matches("^%d%d:%d%d:%d%d%.%d%d%d INFO  message  topic=orders partition=3\n$", line)
  end)

  describe("east of Greenwich", function()
    setup(function()
      log.set_timezone("EAST-9:30")
    end)
    teardown(function()
      log.set_timezone("UTC0")
    end)

    -- The seconds of the day in a line or date, which are a few apart at most.
    local function assert_close(expected, hour, minute, second)
      local seconds = hour * 3600 + minute * 60 + second
      local apart = (seconds - (expected.hour * 3600 + expected.min * 60 + expected.sec)) % 86400
      assert.is_true(apart <= 5, "expected the time of day to be close")
    end

    it("writes the local time in text", function()
      local before = os.date("*t")
      assert_close(before, only_line("text", function()
        log.event("info", "now")
      end):match("^(%d%d):(%d%d):(%d%d)"))
    end)

    it("writes the date and time in UTC in JSON", function()
      local before = os.date("!*t")
      local date, hour, minute, second = only_line("json", function()
        log.event("info", "now")
      end):match('^{"time":"(%d+%-%d+%-%d+)T(%d%d):(%d%d):(%d%d)%.%d%d%dZ"')
      assert_close(before, hour, minute, second)
      local dates = { [("%d-%02d-%02d"):format(before.year, before.month, before.day)] = true }
      dates[os.date("!%Y-%m-%d")] = true
      assert.is_true(dates[date])
    end)
  end)

  it("writes JSON as one object", function()
    assert.equal('{"message":"message","topic":"orders","partition":3}\n',
      json("message", { { "topic", "orders" }, { "partition", 3 } }))
  end)

  it("names each level in both formats", function()
    local written = lines("text", "debug", function()
      log.plain("m")
    end)
    local labels = {}
    for i, line in ipairs(written) do
      labels[i] = line:match("^%S+ (.*)\n$")
    end
    assert.same({ "DEBUG m", "INFO  m", "WARN  m", "ERROR m" }, labels)
    written = lines("json", "debug", function()
      log.plain("m")
    end)
    for i, line in ipairs(written) do
      labels[i] = line:match('"level":"(%a+)"')
    end
    assert.same({ "debug", "info", "warn", "error" }, labels)
  end)

  it("leaves out what is below its level, which may change at any time", function()
    local written = lines("text", "warn", function()
      log.plain("first")
      assert.is_false(log.is_enabled("info"))
      assert.is_true(log.is_enabled("warn"))
      log.set_level("error")
      log.plain("second")
    end)
    assert.equal(3, #written)
    assert.matches("WARN  first", written[1])
    assert.matches("ERROR first", written[2])
    assert.matches("ERROR second", written[3])
  end)

  it("writes JSON when standard error is no terminal, and text on a terminal", function()
    assert.equal("{", only_line("auto", function()
      log.event("info", "m")
    end):sub(1, 1))
    assert.matches("^%d%d:", log.terminal("auto", function()
      log.event("info", "m")
    end))
    assert.equal("{", log.terminal("json", function()
      log.event("info", "m")
    end):sub(1, 1))
  end)

  it("uses colours on a terminal only", function()
    local coloured = log.terminal("auto", function()
      log.event("info", "m", { { "topic", "orders" } })
    end)
    assert.matches("^%S+ \27%[32mINFO \27%[0m m  \27%[2mtopic=\27%[0morders\n$", coloured)
    assert.not_matches("\27", text("m", { { "topic", "orders" } }))
  end)

  it("leaves out a field without a text", function()
    assert.equal("INFO  m  b=1\n", text("m", { { "a", false }, { "b", 1 } }))
    assert.equal('{"message":"m","b":1}\n', json("m", { { "a", false }, { "b", 1 } }))
  end)

  it("writes integers of 64 bits", function()
    assert.equal("INFO  m  a=-9223372036854775808 b=9223372036854775807\n",
      text("m", { { "a", math.mininteger }, { "b", math.maxinteger } }))
    assert.equal('{"message":"m","a":-9223372036854775808}\n',
      json("m", { { "a", math.mininteger } }))
  end)

  it("writes one line with one write", function()
    local written = lines("text", "info", function()
      log.event("error", "failed\nbadly", { { "traceback", "x\ny" }, { "a", 1 } })
      log.event("info", "next")
    end)
    assert.equal(2, #written)
    assert.matches("^%S+ ERROR failed  a=1\n    badly\n    traceback:\n      x\n      y\n$",
      written[1])
  end)

  it("does not mix the lines of several threads, however long", function()
    local count = { a = 0, b = 0, c = 0, d = 0 }
    for line in log.storm():gmatch("[^\n]*\n") do
      local letter = line:match("^%S+ INFO  (%a)")
      assert.matches("^%S+ INFO  " .. letter .. "+\n$", line)
      assert.equal(9000, #line:match(letter .. "+\n$") - 1)
      count[letter] = count[letter] + 1
    end
    assert.same({ a = 100, b = 100, c = 100, d = 100 }, count)
  end)

  it("does not change errno", function()
    assert.equal(4242, log.errno_after(4242))
  end)
end)

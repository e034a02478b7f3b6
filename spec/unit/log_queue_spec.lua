local uv = require("luv")

local unit = require("unit")
local wait = require("spec.support.wait")

local log = unit.log

-- Of a queue of 4 MiB debug and info get three quarters.
local LINE = ("x"):rep(8000)
local PLAIN_LINES = math.floor(3 * 1024 * 1024 / #LINE)

local function seconds(f)
  local began = uv.hrtime()
  f()
  return (uv.hrtime() - began) / 1e9
end

local function say(level, count)
  for i = 1, count do
    log.event(level, ("%s %d %s"):format(level, i, LINE))
  end
end

---Reads until the line is there; all that was read.
local function drain_until(pattern)
  local text = ""
  wait.till("a line like " .. pattern, 5000, function()
    text = text .. log.drain()
    return text:find(pattern)
  end)
  return text
end

-- The numbers of the lines of a level, in the order in which they came.
local function numbers(text, level)
  local found = {}
  for number in text:gmatch(level .. " (%d+) x") do
    table.insert(found, math.tointeger(tonumber(number)))
  end
  return found
end

local function assert_counting_up(found)
  for i = 2, #found do
    assert.is_true(found[i] > found[i - 1])
  end
end

describe("a log with a thread of its own", function()
  it("writes all lines in their order", function()
    local rest = log.queued("pipe", "text", 0, function()
      say("info", 100)
    end)
    assert.equal(100, #numbers(rest, "info"))
    assert_counting_up(numbers(rest, "info"))
  end)

  it("lets nobody wait for a pipe that nobody reads, and says how many it dropped", function()
    local dropped, read
    local before = log.dropped()
    local rest = log.queued("pipe", "json", 0, function()
      assert.is_true(seconds(function() say("info", 2000) end) < 1 * wait.patience)
      dropped = log.dropped() - before
      read = drain_until('"level":"warn","message":"%d+ log lines were dropped [^\n]+}\n')
      log.event("info", "again")
    end)
    assert.is_true(dropped > 2000 - PLAIN_LINES - 20 and dropped < 2000, "dropped " .. dropped)
    local all = read .. rest
    assert.equal(tostring(dropped), all:match('"dropped":(%d+),"for_ms":%d+}\n'))
    assert.equal(2000 - dropped, #numbers(all, "info"))
    assert_counting_up(numbers(all, "info"))
    local _, behind = all:find("log lines were dropped", 1, true)
    assert.same({}, numbers(all:sub(behind), "info"))
    assert.is_truthy(all:find('"message":"again"}\n$'))
  end)

  it("keeps room for warnings and errors where info has filled the rest", function()
    local rest = log.queued("pipe", "text", 0, function()
      say("info", PLAIN_LINES + 50)
      say("warn", 20)
      say("error", 20)
    end)
    assert.equal(20, #numbers(rest, "warn"))
    assert.equal(20, #numbers(rest, "error"))
  end)

  it("makes a handler wait for room only once until there is some again", function()
    log.queued("pipe", "text", 300, function()
      log.be_worker(true)
      local filling = seconds(function() say("info", PLAIN_LINES + 50) end)
      local afterwards = seconds(function() say("info", 50) end)
      log.be_worker(false)
      assert.is_true(filling >= 0.29, "waited " .. filling)
      assert.is_true(afterwards < 0.25 * wait.patience, "waited " .. afterwards)
    end)
  end)

  it("loses nothing to a terminal that is held, and goes on where it is let go", function()
    local before = log.dropped()
    local read
    log.queued("terminal", "text", 0, function()
      log.hold(true)
      assert.is_true(seconds(function() say("info", 200) end) < 1 * wait.patience)
      assert.equal("", log.drain())
      log.hold(false)
      read = drain_until("info 200 x")
    end)
    assert.equal(200, #numbers(read, "info"))
    assert.equal(before, log.dropped())
  end)

  it("does not wait for ever at a flush, and only once where nothing moves", function()
    log.queued("pipe", "text", 0, function()
      say("info", 100)
      assert.is_true(seconds(function() log.flush(200) end) >= 0.19)
      assert.is_true(seconds(function() log.flush(5000) end) < 2)
    end)
  end)

  it("keeps a status below the lines, as wide as the terminal is", function()
    local read
    log.queued("terminal", "text", 0, function()
      log.set_width(20)
      log.set_status("0123456789abcdefghijklmnop")
      log.flush(5000)
      assert.equal("0123456789abcdefghi", log.drain())
      log.set_width(10)
      log.event("info", "line")
      log.flush(5000)
      read = log.drain()
      log.set_status(nil)
      log.flush(5000)
      assert.equal("\r\27[K", log.drain())
    end)
    assert.matches("^\r\27%[K%S+ .*INFO.* line\n012345678$", read)
  end)

  it("writes its last lines before a crash", function()
    local how, text = unit.child.run(function()
      log.start()
      say("info", 500)
      log.crash()
    end, 20)
    assert.not_equal("returned", how)
    assert.equal(500, #numbers(text, "info"))
  end)
end)

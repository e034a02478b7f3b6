local inbox = require("unit").inbox

-- Long enough that only a lost wake reaches it.
local LATE_MS = 10000

local function assert_awake(box)
  assert.is_true(box:sleep(LATE_MS) < LATE_MS / 2)
end

local function assert_sleeps(box)
  assert.is_true(box:sleep(20) >= 20)
end

describe("inbox", function()
  it("hands out posted tickets in order, each once", function()
    local box = inbox.new()
    box:post(3)
    box:post(1)
    box:post(2)
    assert.same({ 3, 1, 2 }, box:drain())
    assert.same({}, box:drain())
  end)

  it("hands out no more than is asked for and keeps the rest", function()
    local box = inbox.new()
    for ticket = 1, 50 do
      box:post(ticket)
    end
    assert.same({ 1, 2, 3 }, box:drain(3))
    assert.same({}, box:drain(0))
    assert.is_true(box:has_posts())
    local rest = box:drain(64)
    assert.equal(47, #rest)
    assert.equal(4, rest[1])
    assert.equal(50, rest[47])
    assert.is_false(box:has_posts())
  end)

  it("is drained of nothing before anything was posted", function()
    local box = inbox.new()
    assert.is_false(box:has_posts())
    assert.same({}, box:drain())
  end)

  it("sleeps until the deadline when nothing happens", function()
    local box = inbox.new()
    assert_sleeps(box)
  end)

  it("does not sleep for a deadline that is past", function()
    local box = inbox.new()
    assert.is_true(box:sleep(-1000) < 1000)
    box:sleep_until(0)
    box:sleep_until(-1)
  end)

  it("does not lose a wake that came before it slept", function()
    local box = inbox.new()
    box:wake()
    box:wake()
    assert_awake(box)
    assert_sleeps(box)
  end)

  it("does not lose a post that came before it slept", function()
    local box = inbox.new()
    box:post(1)
    assert_awake(box)
    assert.same({ 1 }, box:drain())
    assert_sleeps(box)
  end)

  it("sleeps for ever until woken when there is no deadline", function()
    local box = inbox.new()
    box:wake()
    box:sleep_until(math.maxinteger)
  end)

  it("does not sleep on posts that a drain left behind", function()
    local box = inbox.new()
    for ticket = 1, 10 do
      box:post(ticket)
    end
    assert_awake(box)
    assert.equal(4, #box:drain(4))
    assert_awake(box)
    assert.equal(6, #box:drain(64))
    assert_sleeps(box)
  end)

  it("sleeps after a drain that took what woke it", function()
    local box = inbox.new()
    box:post(1)
    assert.same({ 1 }, box:drain())
    box:sleep(LATE_MS)
    assert_sleeps(box)
  end)

  it("drops what was posted, and what still comes, once it is closed", function()
    local box = inbox.new()
    box:post(1)
    box:close()
    assert.is_false(box:has_posts())
    box:post(2)
    assert.is_false(box:has_posts())
    assert.same({}, box:drain())
  end)

  it("lives until the last reference is released", function()
    local box = inbox.new()
    local reference = box:reference()
    box:close()
    assert.is_true(box:release())
    reference:post(1)
    reference:wake()
    assert.same({}, reference:drain())
    assert.is_true(reference:release())
    assert.is_true(reference:release())
  end)

  it("loses and doubles no ticket when many threads post at once", function()
    assert.equal(8 * 5000, inbox.crowd(8, 5000, LATE_MS))
  end)

  it("loses no wake between two threads that wake each other", function()
    assert.equal(20000, inbox.table_tennis(20000, LATE_MS))
  end)
end)

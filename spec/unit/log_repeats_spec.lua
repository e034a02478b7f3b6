local log = require("unit").log

local MINUTE = 60 * 1000

local function admitted(kind, now_ms, ...)
  return (log.admit(kind, 3, now_ms, ...))
end

---The first three, and one more.
local function say_four(kind)
  local said = {}
  for i = 1, 4 do
    said[i] = admitted(kind, i)
  end
  return said
end

describe("repeated lines of the log", function()
  before_each(function()
    log.forget_repeats()
  end)
  teardown(function()
    log.forget_repeats()
  end)

  it("are written a few times, and then once in ten seconds with how many were left out", function()
    assert.same({ true, true, true, false }, say_four("a"))
    for now = 5, 10002, 100 do
      assert.is_false(admitted("a", now))
    end
    assert.same({ true, 101 }, { log.admit("a", 3, 10003) })
    assert.is_false(admitted("a", 10004))
  end)

  it("are told from each other by the whole kind, and none hides another", function()
    say_four("c: no such table")
    for _, other in ipairs({ "d: no such table", "c: no such tables", "c: HTTP 500", "c: HTTP 502",
      "c: port 50051", "c: port 50052" }) do
      assert.same({ true, true, true, false }, say_four(other))
    end
  end)

  it("are the same where they differ in what names a record", function()
    say_four("c: order 1234567 is unknown, 123e4567-e89b-12d3-a456-426614174000 asked")
    local other = "c: order 765432100 is %s, 123e4567-e89b-12d3-a456-42661417ffff asked"
    assert.is_false(admitted(other:format("unknown"), 5))
    assert.is_true(admitted(other:format("known"), 5))
  end)

  it("are said to the last when no more come, with what the last one said", function()
    say_four("a")
    admitted("a", 5, "last", "why")
    assert.is_nil((log.due(9000)))
    assert.same({ "last", "why", 1 }, { log.due(10003) })
    assert.is_nil((log.due(20003)))
  end)

  it("are all said at the end", function()
    say_four("a")
    say_four("b")
    assert.same({ "m", "m" }, { (log.due(math.maxinteger)), (log.due(math.maxinteger)) })
    assert.is_nil((log.due(math.maxinteger)))
  end)

  it("are new ones after a minute without", function()
    say_four("a")
    log.due(math.maxinteger)
    assert.is_true(admitted("a", 4 + MINUTE))
    assert.same({ true, true }, { admitted("a", 4 + MINUTE), admitted("a", 4 + MINUTE) })
    assert.is_false(admitted("a", 4 + MINUTE))
  end)

  it("are not left out where too many kinds come at a time", function()
    for i = 1, 64 do
      say_four("kind " .. i)
    end
    for now = 5, 20 do
      assert.same({ true, 0 }, { log.admit("another", 3, now) })
    end
    assert.is_false(admitted("kind 64", 21))
  end)

  it("make room for others when they have not come for ten seconds", function()
    for i = 1, 64 do
      admitted("kind " .. i, i)
    end
    local now = 10000 + 64
    assert.same({ true, true, true, false },
      { admitted("a", now), admitted("a", now), admitted("a", now), admitted("a", now) })
  end)

  it("keep at most 8 KiB of what they say", function()
    say_four("a")
    admitted("a", 5, "last", ("x"):rep(100000))
    local _, reason = log.due(math.maxinteger)
    assert.matches("^x+$", reason)
    assert.is_true(#reason > 8000 and #reason <= 8192)
  end)

  it("have the field `repeated` in the log, and lose none at its end", function()
    local rest = log.queued("pipe", "json", 0, function()
      log.say_again("down", "no broker", 10)
      log.say_again("up", "no broker either", 1)
    end)
    local said = {}
    for reason, more in rest:gmatch('"message":"failed","reason":"([^"]+)"([^}]*)}') do
      table.insert(said, reason .. more)
    end
    assert.same({ "no broker", "no broker", "no broker either", 'no broker,"repeated":7' }, said)
  end)
end)

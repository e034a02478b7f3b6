local drain = require("unit").drain

local HOUR = 3600000

-- What a drain says, one after the other, until it waits or all is over.
local function steps(of, sight, now)
  local said = {}
  repeat
    local step = of:step(sight, now)
    table.insert(said, step)
    if step == "commit" then
      sight.in_flight = true
    end
  until step == "wait" or step == "end"
  return table.concat(said, ", ")
end

local function revoke(timeout, max_poll)
  return drain.of_revoke(1000, timeout, max_poll)
end

describe("the limits of a drain", function()
  it("of a revoke are drain_timeout for handlers and acknowledgements, half of it for beginning",
    function()
      assert.same({ begin = 3500, handlers = 6000, deliveries = 6000, commit = 1000 + 225000 },
        revoke(5000, 300000))
    end)

  it("of a revoke are clipped, so that it is answered before the member is given up", function()
    assert.same({ begin = 3500, handlers = 6000, deliveries = 6000, commit = 8500 },
      revoke(60000, 10000))
  end)

  it("of a stop share out what is left behind the handlers' time", function()
    assert.same({ begin = 11000, handlers = 22000, deliveries = 23500, commit = 24750 },
      drain.of_stop(1000, 21000, 26000))
    assert.same({ begin = 1000, handlers = 1250, deliveries = 1500, commit = 1750 },
      drain.of_stop(1000, 1000, 2000))
    assert.same({ begin = 1000, handlers = 900, deliveries = 900, commit = 900 },
      drain.of_stop(1000, 900, 800))
  end)

  it("of a revoke in a stop are the stop's, clipped as any", function()
    local stop = drain.of_stop(0, 20000, 25000)
    assert.same(stop, drain.in_stop(stop, 1000, 300000))
    assert.same({ begin = 3500, handlers = 6000, deliveries = 6000, commit = 8500 },
      drain.in_stop(stop, 1000, 10000))
  end)
end)

describe("a drain", function()
  local LIMITS = { begin = 100, handlers = 200, deliveries = 300, commit = 400 }
  local of

  before_each(function()
    of = drain.new(LIMITS)
  end)

  it("that finds nothing in hand commits and ends at once", function()
    assert.equal("give back, collect, let go, commit, wait", steps(of, {}, 0))
    assert.equal("end", steps(of, {}, 0))
    assert.is_false(of:is_late())
  end)

  it("lets begin what stands before others, for a while", function()
    local sight = { unstarted = true, running = true }
    assert.equal("wait", steps(of, sight, 99))
    assert.equal("give back, wait", steps(of, sight, 100))
  end)

  it("lets nothing begin while the breaker is open", function()
    assert.equal("give back, wait",
      steps(of, { unstarted = true, running = true, at_stand = true }, 0))
  end)

  it("waits for handlers, then for acknowledgements, then goes on without", function()
    local sight = { running = true, awaited = true }
    assert.equal("give back, wait", steps(of, sight, 0))
    assert.equal("wait", steps(of, sight, 199))
    assert.equal("collect, wait", steps(of, sight, 200))
    assert.equal("wait", steps(of, sight, 299))
    assert.is_false(of:is_settled())
    assert.equal("let go, commit, wait", steps(of, sight, 300))
    assert.is_true(of:is_settled())
  end)

  it("collects after the last handler has ended and before the last commit", function()
    assert.equal("give back, wait", steps(of, { running = true }, 0))
    assert.equal("collect, wait", steps(of, { awaited = true }, 0))
    assert.equal("let go, commit, wait", steps(of, {}, 0))
  end)

  it("sends the last commit when the one in flight is answered", function()
    local sight = { in_flight = true }
    assert.equal("give back, collect, let go, wait", steps(of, sight, 0))
    sight.in_flight = false
    assert.equal("commit, wait", steps(of, sight, 0))
    sight.in_flight = false
    assert.equal("end", steps(of, sight, 0))
  end)

  it("ends without a commit when none is due", function()
    assert.equal("give back, collect, let go, commit, end", (function()
      local said = {}
      for i = 1, 5 do
        said[i] = of:step({}, 0)
      end
      return table.concat(said, ", ")
    end)())
  end)

  it("waits 5 s at most for a commit's answer, and not beyond its end", function()
    of = drain.new({ begin = 0, handlers = 0, deliveries = 0, commit = HOUR })
    local sight = { in_flight = true }
    assert.equal("give back, collect, let go, wait", steps(of, sight, 7000))
    assert.equal("wait", steps(of, sight, 11999))
    assert.equal("end", steps(of, sight, 12000))
    assert.is_true(of:is_late())

    of = drain.new(LIMITS)
    assert.equal("give back, collect, let go, wait", steps(of, sight, 0))
    assert.equal("end", steps(of, sight, 400))
    assert.is_true(of:is_late())
  end)

  it("of a lost assignment waits for nothing and commits nothing", function()
    local all = { unstarted = true, running = true, awaited = true, lost = true,
      in_flight = true }
    assert.equal("give back, collect, let go, end", steps(of, all, 0))
    assert.is_false(of:is_late())
  end)

  it("that is lost on the way waits no longer", function()
    local sight = { running = true }
    assert.equal("give back, wait", steps(of, sight, 0))
    sight.lost = true
    assert.equal("collect, let go, end", steps(of, sight, 0))
  end)

  it("keeps to shorter limits from when it gets them", function()
    local sight = { running = true }
    assert.equal("give back, wait", steps(of, sight, 0))
    of:limit({ begin = 10, handlers = 20, deliveries = 30, commit = 40 })
    assert.equal("wait", steps(of, sight, 19))
    assert.equal("collect, let go, commit, wait", steps(of, sight, 20))
    of:limit({ begin = 10, handlers = 20, deliveries = 30, commit = 35 })
    assert.equal("wait", steps(of, sight, 34))
    assert.equal("end", steps(of, sight, 35))
  end)

  it("says nothing more when it is over", function()
    steps(of, { lost = true }, 0)
    assert.equal("wait", of:step({ lost = true }, HOUR))
  end)
end)

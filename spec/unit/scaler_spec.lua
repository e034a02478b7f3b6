local scaler = require("unit").scaler

---A scaler whose time goes on by itself: ask(lag) is a second later.
local function new(limits)
  local defaults = { min = 10, max = 100, lag_threshold = 25 }
  local self = scaler.new(setmetatable(limits or {}, { __index = defaults }))
  local now_ms = 1000000
  local function ask(lag, sight)
    sight = sight or {}
    sight.lag, sight.partitions = lag, sight.partitions or 10
    now_ms = now_ms + (sight.after_ms or 1000)
    return self:wanted(sight, now_ms)
  end
  return ask, self
end

describe("scaler", function()
  it("wants one worker for each lag_threshold records, and one for what is left over", function()
    for lag, workers in pairs({ [0] = 10, [250] = 10, [251] = 11, [275] = 11, [1000] = 40,
      [2499] = 100, [2500] = 100 }) do
      assert.equal(workers, (new()(lag)))
    end
    assert.equal(7, (new({ min = 1, max = 8, lag_threshold = 1 })(7)))
  end)

  it("never wants less than min or more than max", function()
    assert.equal(10, (new()(-5)))
    assert.equal(100, (new()(2501)))
    assert.equal(100, (new()(math.maxinteger)))
    assert.equal(3, (new({ min = 3, max = 3, lag_threshold = 1 })(1000)))
  end)

  it("goes by other limits from when they change, also for what it remembers", function()
    local ask, self = new()
    assert.equal(100, (ask(2500)))
    assert.equal(60, self:limit({ min = 10, max = 60, lag_threshold = 50 }))
    assert.equal(50, (ask(0)))
    assert.equal(55, self:limit({ min = 55, max = 60, lag_threshold = 50 }))
    assert.equal(55, (ask(0)))
    assert.equal(55, self:limit({ min = 2, max = 60, lag_threshold = 2500 }))
    assert.equal(2, (ask(0)))
  end)

  it("goes up at once", function()
    local ask = new()
    assert.equal(10, (ask(0)))
    assert.equal(40, (ask(1000, { after_ms = 1 })))
    assert.equal(100, (ask(100000, { after_ms = 1 })))
  end)

  it("goes down only after 30 s, to the largest figure of them", function()
    local ask = new()
    assert.equal(100, (ask(100000)))
    assert.equal(100, (ask(500)))
    assert.equal(100, (ask(300, { after_ms = 10000 })))
    assert.equal(100, (ask(0, { after_ms = 19000 })))
    -- 31 s after the 100000.
    assert.equal(20, (ask(0, { after_ms = 1000 })))
    assert.equal(12, (ask(0)))
    assert.equal(12, (ask(0, { after_ms = 9000 })))
    assert.equal(10, (ask(0)))
  end)

  it("remembers the most that was wanted within a second", function()
    local ask = new()
    ask(2000, { after_ms = 100 })
    ask(1000, { after_ms = 100 })
    ask(0, { after_ms = 100 })
    assert.equal(80, (ask(0, { after_ms = 29000 })))
    assert.equal(10, (ask(0, { after_ms = 2000 })))
  end)

  it("does not follow traffic that comes in waves shorter than 30 s", function()
    local ask = new()
    ask(2000)
    for second = 1, 300 do
      assert.equal(80, (ask(second % 29 == 0 and 2000 or 0)))
    end
  end)

  it("keeps the count while the lag is not known", function()
    local ask = new()
    assert.equal(80, (ask(2000)))
    for _ = 1, 100 do
      assert.equal(80, (ask(0, { is_unknown = true })))
    end
    assert.equal(10, (ask(0)))
  end)

  it("grows by what is known of the lag", function()
    local ask = new()
    assert.equal(10, (ask(0, { is_unknown = true })))
    assert.equal(40, (ask(1000, { is_unknown = true })))
  end)

  it("wants no more workers than partitions where each partition has an order", function()
    local function ask(min, partitions)
      return (new({ min = min, is_by_partition = true })(100000, { partitions = partitions }))
    end
    assert.equal(4, ask(1, 4))
    assert.equal(100, ask(1, 100))
    assert.equal(100, ask(1, 101))
    assert.equal(1, ask(1, 0))
    assert.equal(10, ask(10, 4))
  end)

  it("says why", function()
    local ask = new()
    assert.equal("lag 1000, 25 a worker", select(2, ask(1000)))
    assert.equal("lag 12, 1000 within the last 30 s, 25 a worker", select(2, ask(12)))
    assert.equal("lag 9, 25 a worker, at most one a partition",
      select(2, new({ is_by_partition = true })(9)))
  end)
end)

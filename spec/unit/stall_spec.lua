local new = require("unit").stall.new

local LIMIT_MS = 60000

-- Looks once a second at what `sight_at` gives for the second. Returns the news, {second, what}.
local function watch(seconds, sight_at, limit_ms)
  local stall, news = new(), {}
  for second = 0, seconds do
    local what, lasted_ms = stall:look(sight_at(second), limit_ms or LIMIT_MS, second * 1000)
    if what then
      table.insert(news, { second, what, lasted_ms })
    end
  end
  return news
end

describe("a partition stands still", function()
  for _, hand in ipairs({ "running", "awaited", "lettered", "waiting" }) do
    it("when its oldest record stays for the limit: " .. hand, function()
      assert.same({ { 60, "begins" } }, watch(300, function()
        return { hand = hand, position = 7 }
      end))
    end)
  end

  it("until that changes, and says for how long it did", function()
    assert.same({ { 60, "begins" }, { 100, "ends", 100000 } }, watch(150, function(second)
      return { hand = "running", position = second < 100 and 7 or 8 }
    end))
  end)

  it("anew when the next record stays too", function()
    assert.same({ { 60, "begins" }, { 100, "ends", 100000 }, { 160, "begins" } },
      watch(200, function(second)
        return { hand = "running", position = second < 100 and 7 or 8 }
      end))
  end)

  it("when more and more is there to be read and nothing is", function()
    assert.same({ { 60, "begins" }, { 90, "ends", 90000 } }, watch(100, function(second)
      return { hand = "unread", position = second < 90 and 7 or 500, finish = 100 + second }
    end))
  end)
end)

describe("a partition does not stand still", function()
  local function never(sight_at, limit_ms)
    assert.same({}, watch(300, sight_at, limit_ms))
  end

  it("while its oldest record is another one now and then", function()
    never(function(second)
      return { hand = "running", position = second // 59 }
    end)
  end)

  it("when the record runs anew", function()
    never(function(second)
      return { hand = "running", position = 7, run = second // 40 }
    end)
  end)

  it("while a record waits for its retry", function()
    never(function()
      return { hand = "planned", position = 7 }
    end)
  end)

  it("while its record waits for a worker and others end", function()
    never(function(second)
      return { hand = "waiting", position = 7, ended = second // 10 }
    end)
  end)

  it("while somebody holds what has not begun", function()
    for _, hand in ipairs({ "waiting", "unread" }) do
      never(function(second)
        return { hand = hand, position = 7, held = true, finish = 100 + second }
      end)
    end
  end)

  it("when there is nothing to be read, or nothing more than before", function()
    never(function()
      return { hand = "unread", position = 7, finish = 7 }
    end)
    never(function()
      return { hand = "unread", position = 7, finish = 8 }
    end)
    never(function(second)
      return { hand = "unread", position = 7, finish = second == 0 and -1 or 8 }
    end)
  end)

  it("when it is not assigned, or nobody wants to know", function()
    never(function()
      return { hand = "running", position = 7, epoch = 0 }
    end)
    never(function()
      return { hand = "running", position = 7 }
    end, 0)
  end)
end)

describe("what is held", function()
  it("stands still where it has begun", function()
    assert.same({ { 60, "begins" } }, watch(100, function()
      return { hand = "running", position = 7, held = true }
    end))
  end)

  it("ends a standstill that had not", function()
    assert.same({ { 60, "begins" }, { 80, "ends", 80000 } }, watch(200, function(second)
      return { hand = "waiting", position = 7, held = second >= 80 }
    end))
  end)
end)

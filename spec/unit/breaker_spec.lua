local new = require("unit").breaker.new

local function give_up(breaker, times)
  local answers = {}
  for i = 1, times do
    local may, is_open = breaker:give_up()
    answers[i] = (may and "given up" or "kept") .. (is_open and ", open" or "")
  end
  return answers
end

describe("a breaker", function()
  it("opens with the last record of the row, and lets no further one be given up", function()
    assert.same({ "given up", "given up", "given up, open", "kept, open", "kept, open" },
      give_up(new(3), 5))
    assert.same({ "given up, open", "kept, open" }, give_up(new(1), 2))
  end)

  it("begins the row again with a record that was handled", function()
    local breaker = new(2)
    give_up(breaker, 1)
    breaker:succeed()
    assert.same({ "given up", "given up, open" }, give_up(breaker, 2))
  end)

  it("is closed by a record that was handled", function()
    local breaker = new(2)
    give_up(breaker, 5)
    breaker:succeed()
    assert.same({ "given up", "given up, open", "kept, open" }, give_up(breaker, 3))
  end)

  it("never opens without a limit", function()
    assert.same({ "given up", "given up", "given up" }, give_up(new(0), 3))
  end)
end)

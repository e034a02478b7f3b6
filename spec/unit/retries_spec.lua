local unit = require("unit")

local delay = unit.retries.delay

describe("retries", function()
  local schedule, records

  before_each(function()
    schedule = unit.retries.new()
    records = {}
    for i = 1, 9 do
      records[i] = unit.record.make("orders", 0, i)
    end
  end)

  after_each(function()
    while schedule:next() do
      schedule:pop(math.maxinteger)
    end
    schedule:destroy()
    for _, record in ipairs(records) do
      unit.record.free(record)
    end
  end)

  local function pop_all(now)
    local offsets = {}
    for record in function() return schedule:pop(now) end do
      table.insert(offsets, unit.record.fields(record).offset)
    end
    return offsets
  end

  it("double the wait with each failure, up to the longest", function()
    local waits = {}
    for failures = 1, 8 do
      waits[failures] = delay(100, 3000, failures)
    end
    assert.same({ 100, 200, 400, 800, 1600, 3000, 3000, 3000 }, waits)
    assert.equal(86400000, delay(1, 86400000, 1000000))
  end)

  it("take up to half of a wait away at random", function()
    assert.equal(50, delay(100, 3000, 1, 0))
    assert.equal(75, delay(100, 3000, 1, 0.5))
    assert.equal(99, delay(100, 3000, 1, 0.999999))
    assert.equal(1, delay(1, 3000, 1, 0))
    assert.equal(1500, delay(100, 3000, 9, 0))
  end)

  it("give a record back when its time has come, and not before", function()
    assert.is_nil(schedule:next())
    schedule:add(records[1], 500)
    assert.equal(500, schedule:next())
    assert.is_nil(schedule:pop(499))
    assert.equal(records[1], schedule:pop(500))
    assert.is_nil(schedule:pop(math.maxinteger))
  end)

  it("go in the order of time, and of their coming within one moment", function()
    for i, due in ipairs({ 30, 10, 20, 10, 30, 20, 5, 10, 40 }) do
      schedule:add(records[i], due)
    end
    assert.same({ 7, 2, 4, 8, 3, 6 }, pop_all(29))
    assert.same({ 1, 5, 9 }, pop_all(40))
  end)

  it("forget a record that is removed, wherever it stands", function()
    for out = 1, 9 do
      local expected = {}
      for i = 1, 9 do
        schedule:add(records[i], i * 7 % 10)
        if i ~= out then
          table.insert(expected, i)
        end
      end
      table.sort(expected, function(a, b) return a * 7 % 10 < b * 7 % 10 end)
      schedule:remove(records[out])
      assert.same(expected, pop_all(10))
    end
  end)

  it("do not mind a record that does not wait", function()
    schedule:remove(records[1])
    schedule:add(records[2], 1)
    schedule:remove(records[1])
    assert.same({ 2 }, pop_all(1))
    schedule:remove(records[2])
  end)
end)

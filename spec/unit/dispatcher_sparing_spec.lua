local bench = require("spec.support.bench")

describe("dispatcher spares workers that would only take turns", function()
  -- Two brisk workers are enough, and three records from tick to tick make one brisk.
  local CPUS, PACE = 2, 3
  local d, lane, next_number

  local function push(count)
    local labels = {}
    for _ = 1, count do
      next_number = next_number + 1
      table.insert(labels, "k" .. next_number)
    end
    d:push(lane, table.concat(labels, " "))
  end

  ---The workers woken since last asked.
  local function woken()
    return table.concat({ select(2, d.dispatcher:woken()) }, " ")
  end

  ---Takes so often, and finishes each at once; says how often there was something.
  local function run(worker, times)
    for time = 1, times do
      local label = d:take(worker)
      if not label then
        return time - 1
      end
      d:finish(label)
    end
    return times
  end

  before_each(function()
    d = bench.new("free_worker", 4, CPUS, PACE)
    lane, next_number = d:lane(), 0
    for worker = 4, 1, -1 do
      assert.is_nil(d:take(worker))
    end
    push(100)
    assert.equal("1", woken())
  end)

  after_each(function()
    d:destroy()
  end)

  -- The first two are brisk by now, and a tick has seen it; the other two sleep.
  local function spare()
    run(1, PACE)
    run(2, PACE)
    d.dispatcher:tick()
    d.dispatcher:hold(lane.handle)
    assert.is_nil(d:take(3))
    d.dispatcher:resume(lane.handle)
    woken()
  end

  it("but not before it knows that they are enough", function()
    d:take(1)
    assert.equal("2", woken())
    d:take(2)
    assert.equal("3", woken())
    d:take(3)
    assert.equal("4", woken())
  end)

  it("when as many as there are CPUs are brisk, however much comes", function()
    spare()
    push(50)
    run(1, PACE)
    run(2, PACE)
    d.dispatcher:tick()
    push(50)
    assert.equal("", woken())
  end)

  it("but not more than there are CPUs", function()
    spare()
    run(1, 1000)
    assert.is_nil(d:take(2))
    woken()
    push(2)
    assert.equal("2", woken())
    assert.is_string(d:take(2))
    assert.equal("1", woken())
  end)

  it("and sends one to sleep that is brisk beside them", function()
    run(1, PACE)
    run(2, PACE)
    assert.equal(PACE - 1, run(3, PACE + 1))
    assert.equal(PACE + 1, run(1, PACE + 1))
    -- It goes on when it is woken, and begins to count anew.
    assert.equal(PACE - 1, run(3, PACE + 1))
  end)

  it("and counts one brisk worker once, also when it waits now and then", function()
    for _ = 1, 3 do
      run(1, PACE)
      d.dispatcher:wait(1)
    end
    run(2, PACE)
    d.dispatcher:leave(1)
    assert.equal(PACE + 1, run(3, PACE + 1))
  end)

  it("and counts one that is very brisk twice", function()
    run(1, 4 * PACE)
    d:take(2)
    d:take(3)
    assert.equal(PACE - 1, run(4, PACE + 1))
  end)

  it("and keeps one that is brisk when the others have gone", function()
    run(1, PACE)
    run(2, PACE)
    d.dispatcher:leave(1)
    assert.equal(2 * PACE, run(3, 2 * PACE))
  end)

  it("and keeps one whose handlers wait, whatever it takes", function()
    run(1, PACE)
    run(2, PACE)
    for _ = 1, 5 do
      assert.equal(PACE - 1, run(3, PACE - 1))
      d.dispatcher:wait(3)
    end
  end)

  it("and keeps those that take little from tick to tick", function()
    for _ = 1, 5 do
      for worker = 1, 4 do
        assert.equal(PACE - 1, run(worker, PACE - 1))
      end
      d.dispatcher:tick()
    end
  end)

  it("until a tick finds backlog that they do not take", function()
    spare()
    d:take(1)
    d:take(2)
    woken()
    d.dispatcher:tick()
    assert.equal("3", woken())
    d:take(3)
    assert.equal("4", woken())
    d:take(4)
    assert.equal("", woken())
  end)

  it("and none of those that have gone is counted", function()
    spare()
    d:take(1)
    d:take(2)
    woken()
    d.dispatcher:leave(1)
    assert.equal("3", woken())
  end)
end)

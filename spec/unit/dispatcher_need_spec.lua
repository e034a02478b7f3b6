local bench = require("spec.support.bench")

describe("dispatcher wakes main", function()
  local d

  local function finish(...)
    for _, label in ipairs({ ... }) do
      d:finish(label)
    end
    return (d.dispatcher:woken())
  end

  before_each(function()
    d = bench.new("key")
    local lane = d:lane()
    d:push(lane, "a1 b1 c1 d1 e1 f1 g1")
    for _ = 1, 6 do
      d:take(1)
    end
  end)

  after_each(function()
    d:destroy()
  end)

  it("never when it needs nothing", function()
    assert.equal(0, finish("a1", "b1", "c1", "d1", "e1", "f1"))
  end)

  it("once when it needs room and enough has ended", function()
    d.dispatcher:set_need("room", 3)
    assert.equal(0, finish("a1", "b1"))
    assert.equal(1, finish("c1"))
    assert.equal(0, finish("d1", "e1", "f1"))
  end)

  it("once when it needs room and the workers run dry", function()
    d.dispatcher:set_need("room", 100)
    assert.equal(0, finish("a1"))
    assert.equal("g1", d:take(2))
    assert.equal(1, finish("b1"))
    assert.equal(0, finish("c1"))
  end)

  it("counts what ended before it said what it needs", function()
    assert.equal(0, finish("a1", "b1"))
    d.dispatcher:set_need("room", 3)
    assert.equal(1, finish("c1"))
  end)

  it("not at all, but tells it when enough has ended before it says what it needs", function()
    assert.is_false(d.dispatcher:set_need("every"))
    d.dispatcher:set_need("nothing")
    assert.equal(0, finish("a1", "b1"))
    assert.is_false(d.dispatcher:set_need("nothing"))
    assert.is_false(d.dispatcher:set_need("room", 3))
    assert.is_true(d.dispatcher:set_need("room", 2))
    assert.is_true(d.dispatcher:set_need("every"))
    assert.equal("g1", d:take(2))
    assert.is_true(d.dispatcher:set_need("room", 100))
    d:collect()
    assert.is_false(d.dispatcher:set_need("room", 100))
  end)

  it("counts from nothing after a collect", function()
    finish("a1", "b1")
    d:collect()
    d.dispatcher:set_need("room", 2)
    assert.equal(0, finish("c1"))
    assert.equal(1, finish("d1"))
  end)

  it("for each end while it drains", function()
    d.dispatcher:set_need("every")
    assert.equal(1, finish("a1"))
    assert.equal(3, finish("b1", "c1", "d1"))
    d.dispatcher:set_need("nothing")
    assert.equal(0, finish("e1"))
  end)
end)

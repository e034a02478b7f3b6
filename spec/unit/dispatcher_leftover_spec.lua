local bench = require("spec.support.bench")

describe("dispatcher with a leftover", function()
  local d, lane

  local function begin(distribution)
    d = bench.new(distribution)
    lane = d:lane()
  end

  -- The drain is over, what runs is left over, and delivery begins again at offset 0.
  local function redeliver(labels)
    d:revoke(lane)
    d.dispatcher:forget(lane.handle)
    d:assign(lane, 0)
    d:push(lane, labels)
  end

  after_each(function()
    d:destroy()
  end)

  for _, distribution in ipairs({ "key", "partition" }) do
    it("lets a redelivered record wait behind its leftover under " .. distribution, function()
      begin(distribution)
      d:push(lane, "a1 a2")
      assert.equal("a1", d:take())
      redeliver("a1' a2'")
      assert.is_nil(d:take())
      assert.equal("a1'", d:finish("a1", "release", 1))
      assert.equal("a2'", d:finish("a1'", "release", 1))
    end)
  end

  it("lets a redelivered record without a strand wait for its own leftover only", function()
    begin("free_worker")
    d:push(lane, "a1 a2 a3")
    assert.equal("a1", d:take())
    assert.equal("a2", d:take())
    redeliver("a1' a2' a3'")
    assert.equal("a3'", d:take())
    assert.is_nil(d:take())
    assert.equal("a2'", d:finish("a2", "release", 1))
    assert.is_nil(d:take())
    assert.equal("a1'", d:finish("a1", "release", 1))
  end)

  it("withdraws a waiting twin, whose leftover ends later", function()
    begin("free_worker")
    d:push(lane, "a1 a2")
    d:take()
    redeliver("a1' a2'")
    assert.equal("twin", d:state("a1'"))
    assert.equal("a1' a2'", d:revoke(lane))
    d:finish("a1")
    assert.equal("a1", d:collect())
    assert.is_nil(d:take())
  end)

  it("lets a second redelivery wait for the first leftover too", function()
    begin("free_worker")
    d:push(lane, "a1")
    d:take()
    redeliver("a1'")
    redeliver("a1''")
    assert.is_nil(d:take())
    assert.equal("a1''", d:finish("a1", "release", 1))
  end)

  it("holds a twin back when its leftover ends while the lane is held", function()
    begin("free_worker")
    d:push(lane, "a1")
    d:take()
    redeliver("a1'")
    d.dispatcher:hold(lane.handle)
    assert.is_nil(d:finish("a1", "release", 1))
    d.dispatcher:resume(lane.handle)
    assert.equal("a1'", d:take())
  end)

  for _, verdict in ipairs({ "keep", "hold" }) do
    it("releases the strand of a leftover whatever its verdict, as " .. verdict, function()
      begin("key")
      d:push(lane, "a1")
      d:take()
      redeliver("a1' b1'")
      assert.equal("b1'", d:take())
      assert.equal("a1'", d:finish("a1", verdict, 1))
      assert.equal("a1", d:collect())
      d:push(lane, "c1")
      assert.equal("c1", d:take())
    end)
  end
end)

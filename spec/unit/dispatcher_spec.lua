local bench = require("spec.support.bench")

describe("dispatcher", function()
  local d

  after_each(function()
    d:destroy()
  end)

  describe("under key", function()
    before_each(function()
      d = bench.new("key")
    end)

    it("handles equal keys one after the other and others beside them", function()
      d:push(d:lane(), "a1 a2 b1 a3 b2 c1")
      assert.equal("a1 b1 c1", d:take_all())
      d:finish("a1")
      assert.equal("a2", d:take_all())
      d:finish("b1")
      assert.equal("b2", d:take_all())
      d:finish("c1")
      assert.equal("", d:take_all())
      d:finish("a2")
      assert.equal("a3", d:take_all())
    end)

    it("keeps the order of a key over several pushes", function()
      local lane = d:lane()
      d:push(lane, "a1")
      assert.equal("a1", d:take())
      d:push(lane, "a2")
      assert.is_nil(d:take())
      assert.equal("a2", d:finish("a1", "release", 1))
      d:push(lane, "a3 a4")
      assert.equal("a3", d:finish("a2", "release", 1))
    end)

    it("keeps no order for a null key", function()
      d:push(d:lane(), "-1 -2 -3")
      assert.equal("-1 -2 -3", d:take_all())
    end)

    it("tells an empty key from a null key and keeps its order", function()
      d:push(d:lane(), "1 2 -1")
      assert.equal("1 -1", d:take_all())
      d:finish("1")
      assert.equal("2", d:take_all())
    end)

    it("has a strand for each lane, also when keys are equal", function()
      local first, second, other = d:lane(0), d:lane(1), d:lane(0, "payments")
      d:push(first, "a1 a2")
      d:push(second, "a3")
      d:push(other, "a4")
      assert.equal("a1 a3 a4", d:take_all())
      assert.equal(3, d.dispatcher:counts().strands)
    end)

    it("tells keys apart by every byte, short or long", function()
      local long = ("x"):rep(64)
      local keys = { "k", "kk", long, long .. "y", long .. "z", ("x"):rep(5000) }
      local lane = d:lane()
      for i, key in ipairs(keys) do
        d:push(lane, ("%s%d %s%d"):format(key, i, key, 100 + i))
      end
      assert.equal(#keys, select(2, d:take_all():gsub("%S+", "")))
      for i, key in ipairs(keys) do
        assert.equal(key .. 100 + i, d:finish(key .. i, "release", 1))
      end
    end)

    it("keeps a strand only while it has records", function()
      local lane = d:lane()
      for round = 1, 3 do
        for i = 1, 2000 do
          d:push(lane, ("k%dx%d k%dx%d"):format(i, round, i, round + 10))
        end
        assert.equal(2000, d.dispatcher:counts().strands)
        d:run_all()
        assert.equal(0, d.dispatcher:counts().strands)
        d:collect()
      end
    end)
  end)

  describe("under partition", function()
    it("handles the records of a partition one after the other, keys or not", function()
      d = bench.new("partition")
      local first, second = d:lane(0), d:lane(1)
      d:push(first, "a1 b1 -1")
      d:push(second, "a2 c1")
      assert.equal("a1 a2", d:take_all())
      d:finish("a1")
      assert.equal("b1", d:take_all())
      d:finish("b1")
      assert.equal("-1", d:take_all())
      d:finish("a2")
      assert.equal("c1", d:take_all())
    end)
  end)

  describe("under free_worker", function()
    it("handles everything at once", function()
      d = bench.new("free_worker")
      d:push(d:lane(0), "a1 a2 a3 -1 1")
      d:push(d:lane(1), "a4")
      assert.equal("a1 a2 a3 -1 1 a4", d:take_all())
    end)
  end)

  describe("with many strands", function()
    local first, second

    -- Two records of each of 20 keys in both lanes; all heads have ended in another order.
    before_each(function()
      d = bench.new("key")
      first, second = d:lane(0), d:lane(1)
      for number = 1, 2 do
        for i = 1, 20 do
          d:push(first, ("a%dx%d"):format(i, number))
          d:push(second, ("b%dx%d"):format(i, number))
        end
      end
      for _ = 1, 40 do
        d:take()
      end
      for i = 1, 20 do
        local key = i * 7 % 20 + 1
        d:finish(("a%dx1"):format(key))
        d:finish(("b%dx1"):format(key))
      end
    end)

    it("takes first what arrived first, whatever became runnable first", function()
      for i = 1, 20 do
        assert.equal(("a%dx2"):format(i), d:take())
        assert.equal(("b%dx2"):format(i), d:take())
      end
    end)

    it("keeps that order when one lane is held and resumed", function()
      d.dispatcher:hold(first.handle)
      for i = 1, 10 do
        assert.equal(("b%dx2"):format(i), d:take())
      end
      d.dispatcher:resume(first.handle)
      for i = 1, 10 do
        assert.equal(("a%dx2"):format(i), d:take())
      end
      for i = 11, 20 do
        assert.equal(("a%dx2"):format(i), d:take())
        assert.equal(("b%dx2"):format(i), d:take())
      end
    end)

    it("keeps that order when one lane is revoked", function()
      d:revoke(second)
      for i = 1, 20 do
        assert.equal(("a%dx2"):format(i), d:take())
      end
      assert.is_nil(d:take())
    end)
  end)

  describe("with a hot key", function()
    before_each(function()
      d = bench.new("key")
    end)

    it("lets it go on at once when it has waited longest", function()
      d:push(d:lane(), "h1 h2 h3 a1 b1 c1")
      assert.equal("h1 h2 h3 a1 b1 c1", d:run_all())
    end)

    it("lets the others pass that have waited longer", function()
      d:push(d:lane(), "h1 a1 h2 b1 h3 c1")
      assert.equal("h1 a1 h2 b1 h3 c1", d:run_all())
    end)

    it("does not let many hot keys starve another", function()
      local lane = d:lane()
      d:push(lane, "h1 i1 j1 cold1 h2 i2 j2 h3 i3 j3 h4 i4 j4")
      assert.equal("h1 i1 j1 cold1 h2 i2 j2 h3 i3 j3 h4 i4 j4", d:run_all())
    end)

    it("does not let a hot key wait behind one that came much later", function()
      local lane = d:lane()
      d:push(lane, "b1 h1 h2 h3 a1 a2 a3 b2 h4")
      assert.equal("b1 h1 h2 h3 a1 a2 a3 b2 h4", d:run_all())
    end)
  end)
end)

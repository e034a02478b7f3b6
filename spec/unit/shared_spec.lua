local uv = require("luv")

local sanitizer = require("spec.support.sanitizer")
local threads = require("spec.support.threads")
local unit = require("unit")

local MIB = 1024 * 1024

describe("what is shared", function()
  local shared

  before_each(function()
    shared = unit.shared.new(MIB)
  end)

  after_each(function()
    shared:free()
  end)

  it("comes back as it was put there, by the store's name and the key", function()
    local values = { true, false, 0, math.mininteger, math.maxinteger, 0.5, -1e300, 3.0, "",
      "text", "with\0zero", ("x"):rep(MIB // 4) }
    for i, value in ipairs(values) do
      assert.equal("done", shared:set("a/" .. i, value))
    end
    for i, value in ipairs(values) do
      assert.equal(value, shared:get("a/" .. i))
      assert.equal(math.type(value), math.type(shared:get("a/" .. i)))
    end
    assert.is_nil(shared:get("b/1"))
    assert.is_nil(shared:get("a/"))
    assert.equal("done", shared:set("a/1", "another"))
    assert.equal("another", shared:get("a/1"))
    assert.equal(#values, shared:counts().keys)
  end)

  it("is gone when it was deleted, and leaves nothing", function()
    shared:set("a/1", "text", { ttl = 5 })
    shared:set("a/2", 2, { evict = 1 })
    assert.is_true(shared:delete("a/1"))
    assert.is_false(shared:delete("a/1"))
    assert.is_true(shared:delete("a/2"))
    assert.same({ keys = 0, bytes = 0, limit = MIB, evicted = 0, refused = 0 }, shared:counts())
    shared:set("a/1", "text")
    shared:clear()
    assert.equal(0, shared:counts().bytes)
  end)

  it("is added only where there is none", function()
    assert.equal("done", shared:add("a/1", "first", { now = 0, ttl = 10 }))
    assert.equal("present", shared:add("a/1", "second", { now = 9 }))
    assert.equal("first", shared:get("a/1", 9))
    assert.equal("done", shared:add("a/1", "third", { now = 10 }))
    assert.equal("third", shared:get("a/1", 1000))
  end)

  it("is gone when its time is over, and not before", function()
    shared:set("a/1", 1, { now = 100, ttl = 50 })
    shared:set("a/2", 2, { now = 100 })
    assert.equal(1, shared:get("a/1", 149))
    assert.is_nil(shared:get("a/1", 150))
    assert.equal(2, shared:get("a/2", math.maxinteger))
    shared:set("a/3", 3, { now = 100, ttl = 50 })
    shared:set("a/3", 4, { now = 110 })
    assert.equal(4, shared:get("a/3", 1000))
    shared:set("a/4", 4, { now = 100, ttl = math.maxinteger })
    assert.equal(4, shared:get("a/4", math.maxinteger))
  end)

  it("expires in the order of the times, however they were set", function()
    local random, ttls = {}, {}
    math.randomseed(7)
    for i = 1, 500 do
      random[i] = math.random(1, 1000)
      shared:set("a/" .. i, i, { ttl = random[i] })
    end
    for _ = 1, 300 do
      local i = math.random(500)
      local action = math.random(3)
      random[i] = action == 1 and 0 or action == 2 and math.random(1, 1000) or nil
      if random[i] then
        shared:set("a/" .. i, i, { ttl = random[i] })
      else
        shared:delete("a/" .. i)
      end
    end
    for now = 0, 1001, 13 do
      for i = 1, 500 do
        local is_there = random[i] and (random[i] == 0 or random[i] > now)
        if shared:get("a/" .. i, now) ~= (is_there and i or nil) then
          error(("key %d at %d"):format(i, now))
        end
      end
      ttls[#ttls + 1] = shared:counts().keys
    end
    assert.is_true(ttls[1] > 300 and ttls[#ttls] < 200)
  end)

  it("is counted up, from where the caller says when there was nothing", function()
    assert.equal(11, shared:incr("a/1", 1, 10))
    assert.equal(9, shared:incr("a/1", -2, 10))
    assert.equal(9.5, shared:incr("a/1", 0.5, 0))
    assert.equal(10.5, shared:incr("a/1", 1, 0))
    shared:set("a/2", math.maxinteger)
    local function fail(...)
      return select(2, shared:incr(...))
    end
    assert.equal("overflow", fail("a/2", 1, 0))
    assert.equal(math.maxinteger, shared:get("a/2"))
    shared:set("a/3", "text")
    assert.equal("no number", fail("a/3", 1, 0))
    assert.equal("overflow", fail("a/4", 1, math.maxinteger))
    assert.is_nil(shared:get("a/4"))
  end)

  it("keeps the time of what is counted up", function()
    shared:incr("a/1", 1, 0, { now = 0, ttl = 100 })
    shared:incr("a/1", 1, 0, { now = 90, ttl = 100 })
    assert.equal(2, shared:get("a/1", 99))
    assert.equal(1, shared:incr("a/1", 1, 0, { now = 100, ttl = 100 }))
  end)

  it("is refused where there is no room, and nothing is lost", function()
    local count, result = 0, "done"
    while result == "done" do
      count = count + 1
      result = shared:set("a/" .. count, ("x"):rep(1000))
    end
    assert.equal("full", result)
    assert.is_true(count > 850 and count < 1000, count)
    for i = 1, 10 do
      shared:set("small/" .. i, 1)
    end
    assert.equal("full", select(2, shared:incr("a/sum", 1, 0)))
    assert.equal("full", shared:set("a/1", ("y"):rep(5000)))
    assert.equal("done", shared:set("a/1", ("z"):rep(1000)))
    assert.equal(("z"):rep(1000), shared:get("a/1"))
    for i = 2, count - 1 do
      assert.equal(1000, #shared:get("a/" .. i))
    end
    local counts = shared:counts()
    assert.is_true(counts.bytes <= MIB and counts.refused >= 3 and counts.evicted == 0)
    shared:delete("a/2")
    assert.equal(1, shared:incr("a/sum", 1, 0))
  end)

  it("makes room first by what has expired, then by what may be evicted", function()
    for i = 1, 400 do
      shared:set("kept/" .. i, ("x"):rep(1000))
      shared:set("cache/" .. i, ("x"):rep(1000), { evict = 1 })
      if i <= 50 then
        shared:set("old/" .. i, ("x"):rep(1000), { ttl = 10 })
      end
    end
    for i = 1, 40 do
      assert.equal("done", shared:set("kept/" .. 400 + i, ("x"):rep(1000), { now = 20 }))
    end
    assert.equal(0, shared:counts().evicted)
    local count = 440
    while shared:set("kept/" .. count + 1, ("x"):rep(1000), { now = 20 }) == "done" do
      count = count + 1
    end
    assert.equal(400, shared:counts().evicted)
    assert.equal(count, shared:counts().keys)
    assert.is_true(count > 750)
  end)

  it("evicts rather what was not used for long", function()
    local result
    for i = 1, 5000 do
      result = shared:set("cache/" .. i, ("x"):rep(1000), { evict = 1 })
      shared:get("cache/1")
    end
    assert.equal("done", result)
    assert.equal(1000, #shared:get("cache/1"))
    assert.equal(1000, #shared:get("cache/5000"))
    assert.is_nil(shared:get("cache/2"))
    local counts = shared:counts()
    assert.is_true(counts.keys > 850 and counts.bytes <= MIB)
    assert.equal(5000 - counts.keys, counts.evicted)
  end)

  it("keeps what is above a limit that was lowered, and takes nothing more", function()
    for i = 1, 500 do
      shared:set("a/" .. i, ("x"):rep(1000))
    end
    shared:set_limit(MIB // 4)
    assert.equal("full", shared:set("a/new", 1))
    assert.equal("done", shared:set("a/1", "shorter"))
    assert.equal(1000, #shared:get("a/500"))
    for i = 1, 400 do
      shared:delete("a/" .. i)
    end
    assert.equal("done", shared:set("a/new", 1))
  end)

  it("takes about the memory that it says", function()
    if sanitizer.owns_memory then
      return pending("a sanitizer's allocator takes more")
    end
    collectgarbage()
    collectgarbage()
    local large = unit.shared.new(256 * MIB)
    local before = threads.resident_bytes(uv.os_getpid())
    for i = 1, 100000 do
      large:set("store/key-" .. i, i)
    end
    local taken, said = threads.resident_bytes(uv.os_getpid()) - before, large:counts().bytes
    large:free()
    assert.is_true(taken < said * 1.2, ("%d taken, %d said"):format(taken, said))
  end)

  it("is one step for all threads", function()
    local small = unit.shared.new(16 * 1024)
    assert.equal(0, small:play(16, 4000))
    local sum = 0
    for i = 0, 4 do
      sum = sum + small:get("sum/" .. i)
    end
    assert.equal(16 * 4000, sum)
    assert.is_true(small:counts().evicted > 0)
    small:free()
  end)
end)

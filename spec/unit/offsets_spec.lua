local abort = require("unit").abort
local offsets = require("unit").offsets

---A tracker with these offsets delivered, and their slots by offset.
local function deliver(start, list, committed)
  local tracker = offsets.new(start, committed)
  local slots = {}
  for _, offset in ipairs(list) do
    slots[offset] = tracker:add(offset)
  end
  return tracker, slots
end

describe("offsets", function()
  it("begins at the start with nothing unsettled", function()
    local tracker = offsets.new(7, 7)
    assert.equal(7, tracker:position())
    assert.equal(7, tracker:delivered())
    assert.equal(0, tracker:unsettled())
    assert.equal(0, tracker:ahead())
    assert.equal(-1, tracker:oldest())
  end)

  it("wants a start committed that the group has not committed", function()
    assert.is_true(offsets.new(7, -1):is_commit_due())
    assert.is_true(offsets.new(0, -1):is_commit_due())
    assert.is_false(offsets.new(7, 7):is_commit_due())
  end)

  it("does not commit past a record that is still being handled", function()
    local tracker, slots = deliver(1, { 1, 2, 3 }, 1)
    tracker:settle(slots[3])
    tracker:settle(slots[2])
    assert.equal(1, tracker:position())
    assert.is_false(tracker:is_commit_due())
    assert.equal(1, tracker:oldest())
    assert.equal(1, tracker:unsettled())
    assert.equal(2, tracker:ahead())
    tracker:settle(slots[1])
    assert.equal(4, tracker:position())
    assert.is_true(tracker:is_commit_due())
    assert.equal(-1, tracker:oldest())
  end)

  it("moves with each record that is settled in order", function()
    local tracker, slots = deliver(10, { 10, 11, 12 }, 10)
    for offset = 10, 12 do
      tracker:settle(slots[offset])
      assert.equal(offset + 1, tracker:position())
      assert.equal(12 - offset, tracker:unsettled())
    end
  end)

  it("goes by the order of delivery where offsets have holes", function()
    local tracker, slots = deliver(0, { 3, 10, 1000, 1001 }, 0)
    assert.equal(3, tracker:oldest())
    tracker:settle(slots[10])
    assert.equal(0, tracker:position())
    assert.equal(1002, tracker:delivered())
    tracker:settle(slots[3])
    assert.equal(11, tracker:position())
    assert.equal(1000, tracker:oldest())
    tracker:settle(slots[1001])
    assert.equal(11, tracker:position())
    tracker:settle(slots[1000])
    assert.equal(1002, tracker:position())
  end)

  it("refuses a record that lies before what was delivered", function()
    local tracker = deliver(5, { 5, 9 })
    local function aborts(offset)
      return abort.of(function()
        tracker:add(offset)
      end)
    end
    assert.is_true(aborts(4))
    assert.is_true(aborts(9))
    assert.is_false(aborts(10))
  end)

  it("settles a record once", function()
    local tracker, slots = deliver(1, { 1, 2 })
    tracker:settle(slots[2])
    local function aborts(slot)
      return abort.of(function()
        tracker:settle(slot)
      end)
    end
    assert.is_true(aborts(slots[2]))
    tracker:settle(slots[1])
    assert.is_true(aborts(slots[1]))
    assert.is_true(aborts(slots[2] + 1))
  end)

  describe("over offsets without records", function()
    it("moves the position when all is settled", function()
      local tracker, slots = deliver(1, { 1 }, 1)
      tracker:settle(slots[1])
      tracker:skip_to(5)
      assert.equal(5, tracker:position())
      assert.equal(5, tracker:delivered())
      assert.is_true(tracker:is_commit_due())
      tracker:settle(tracker:add(5))
      assert.equal(6, tracker:position())
    end)

    it("does not move while a record is unsettled", function()
      local tracker, slots = deliver(1, { 1, 2 })
      tracker:skip_to(5)
      assert.equal(1, tracker:position())
      tracker:settle(slots[2])
      tracker:skip_to(5)
      assert.equal(1, tracker:position())
      tracker:settle(slots[1])
      assert.equal(3, tracker:position())
    end)

    it("does not go back", function()
      local tracker = offsets.new(10)
      tracker:skip_to(4)
      assert.equal(10, tracker:position())
      tracker:skip_to(10)
      assert.equal(10, tracker:position())
      assert.equal(10, tracker:delivered())
    end)
  end)

  describe("with commits", function()
    it("has nothing to commit once the position was acknowledged", function()
      local tracker, slots = deliver(1, { 1, 2 }, 1)
      tracker:settle(slots[1])
      tracker:mark_committed(2)
      assert.equal(2, tracker:committed())
      assert.is_false(tracker:is_commit_due())
      tracker:settle(slots[2])
      assert.is_true(tracker:is_commit_due())
    end)

    it("has the rest to commit when it moved on during a commit", function()
      local tracker = offsets.new(1, 1)
      tracker:settle(tracker:add(1))
      tracker:settle(tracker:add(2))
      tracker:mark_committed(2)
      assert.is_true(tracker:is_commit_due())
    end)

    it("does not go back for an acknowledgement that comes late", function()
      local tracker = offsets.new(5, 5)
      tracker:mark_committed(3)
      assert.equal(5, tracker:committed())
    end)
  end)

  describe("of a partition that is read again", function()
    -- 1 is settled, 3 was given back, 4 is in hand, 6 has failed, 7 is settled, 9 was given back.
    local function stopped()
      local tracker, slots = deliver(1, { 1, 3, 4, 6, 7, 9 }, 1)
      tracker:settle(slots[1])
      tracker:settle(slots[7])
      tracker:give_back(slots[3])
      tracker:give_back(slots[6], true)
      tracker:give_back(slots[9])
      return tracker, slots
    end

    it("begins at the oldest that was given back, or where it was when none is", function()
      local tracker = stopped()
      assert.is_false(tracker:is_reading_again())
      assert.equal(3, tracker:read_again())
      assert.is_true(tracker:is_reading_again())
      local untouched = deliver(1, { 1, 2 }, 1)
      assert.equal(3, untouched:read_again())
      assert.is_false(untouched:is_reading_again())
    end)

    it("gives what was given back its place again, and knows the rest", function()
      local tracker, slots = stopped()
      tracker:read_again()
      assert.same({ "again", 0, slots[3] }, { tracker:meet(3) })
      assert.same({ "known", 0 }, { tracker:meet(4) })
      assert.same({ "again", 0, slots[6] }, { tracker:meet(6) })
      assert.same({ "known", 0 }, { tracker:meet(7) })
      for _, offset in ipairs({ 3, 4, 6 }) do
        tracker:settle(slots[offset])
      end
      assert.equal(8, tracker:position())
      assert.same({ "again", 0, slots[9] }, { tracker:meet(9) })
      assert.equal(0, tracker:given_back())
      assert.same({ "new", 0 }, { tracker:meet(10) })
      tracker:settle(tracker:add(10))
      tracker:settle(slots[9])
      assert.equal(11, tracker:position())
    end)

    it("knows what it is read past though it was settled before", function()
      local tracker, slots = deliver(1, { 1, 2, 3 }, 1)
      tracker:give_back(slots[1])
      tracker:settle(slots[2])
      tracker:settle(slots[3])
      tracker:read_again()
      tracker:meet(1)
      tracker:settle(slots[1])
      assert.equal(4, tracker:position())
      assert.same({ "known", 0 }, { tracker:meet(2) })
      assert.same({ "known", 0 }, { tracker:meet(3) })
      assert.same({ "new", 0 }, { tracker:meet(4) })
    end)

    it("settles what is not in the log any more, and counts it", function()
      local tracker, slots = stopped()
      tracker:read_again()
      assert.same({ "again", 1, slots[6] }, { tracker:meet(6) })
      assert.equal(4, tracker:position())
      assert.same({ "new", 1 }, { tracker:meet(12) })
      assert.equal(0, tracker:given_back())
      tracker = stopped()
      assert.equal(0, tracker:settle_removed(100))
      tracker:read_again()
      assert.equal(2, tracker:settle_removed(7))
      assert.same({ "went back", 0 }, { tracker:meet(6) })
      assert.equal(1, tracker:settle_removed(100))
      assert.is_false(tracker:is_reading_again())
      assert.equal(1, tracker:unsettled())
    end)

    it("tells a log that went back", function()
      local tracker = deliver(1, { 1, 2 }, 1)
      assert.same({ "went back", 0 }, { tracker:meet(2) })
      tracker = stopped()
      tracker:read_again()
      assert.same({ "went back", 0 }, { tracker:meet(2) })
      assert.same({ "went back", 1 }, { tracker:meet(5) })
    end)

    it("can be stopped again meanwhile", function()
      local tracker, slots = stopped()
      tracker:read_again()
      tracker:meet(3)
      tracker:give_back(slots[3], true)
      assert.equal(3, tracker:read_again())
      assert.same({ "again", 0, slots[3] }, { tracker:meet(3) })
    end)

    it("skips a record that has failed, and no other", function()
      local tracker = stopped()
      for _, offset in ipairs({ 0, 1, 3, 4, 5, 7, 9, 10 }) do
        assert.is_false(tracker:skip_failed(offset))
      end
      assert.is_true(tracker:skip_failed(6))
      assert.is_false(tracker:skip_failed(6))
      tracker:read_again()
      tracker:meet(3)
      assert.same({ "known", 0 }, { tracker:meet(6) })
    end)
  end)

  it("keeps 16 bytes a record, and only for what lies behind the oldest unsettled", function()
    local tracker = offsets.new(0)
    local first = tracker:add(0)
    for offset = 1, 65535 do
      tracker:settle(tracker:add(offset))
    end
    assert.equal(65535, tracker:ahead())
    assert.equal(65536 * 16, tracker:bytes())
    tracker:settle(first)
    for offset = 65536, 500000 do
      tracker:settle(tracker:add(offset))
    end
    assert.equal(500001, tracker:position())
    assert.equal(65536 * 16, tracker:bytes())
  end)

  it("finds the end of the longest settled prefix whatever the order", function()
    math.randomseed(7)
    for _ = 1, 20 do
      local tracker = offsets.new(100, 100)
      local delivered, settled, open, next_offset = {}, {}, {}, 100
      for _ = 1, 2000 do
        if #open == 0 or math.random(100) <= 52 then
          next_offset = next_offset + (math.random(4) == 1 and math.random(50) or 0)
          table.insert(delivered, next_offset)
          table.insert(open, { offset = next_offset, slot = tracker:add(next_offset) })
          next_offset = next_offset + 1
        else
          local record = table.remove(open, math.random(#open))
          tracker:settle(record.slot)
          settled[record.offset] = true
        end
        local position, oldest = 100, -1
        for _, offset in ipairs(delivered) do
          if not settled[offset] then
            oldest = offset
            break
          end
          position = offset + 1
        end
        assert(tracker:position() == position and tracker:oldest() == oldest)
        assert(tracker:unsettled() == #open)
      end
    end
  end)
end)

-- Where a group begins, and what it does when that is gone.

local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")
local unit = require("unit")

local COUNT = 20

---A topic of one partition.
local function new_judge(offset_reset, consumer)
  consumer = consumer or {}
  consumer.offset_reset = offset_reset
  return oracle.new({ partitions = 1, is_ordered = false, consumer = consumer })
end

local function send(judge, writer, count, event)
  local before = writer:counts()
  for i = 1, count do
    traffic.send(writer, judge.topic, "order-" .. i, 1, event or {}, 0)
  end
  judge:wait("the records to be acknowledged", 10000, function()
    return writer:counts() == before + count
  end)
end

---What was sent before this moment is not handled, and no commit has to wait for it.
local function begin_here(judge)
  judge.verdicts:excuse(0, 0, judge:end_offsets()[0] - 1)
end

local function end_well(judge, member, handled)
  judge:wait_handled(10000)
  judge:wait_committed(10000)
  judge:stop_member(member)
  assert.equal(handled, judge.verdicts.handled)
  assert.same({}, judge.verdicts.wrong)
end

describe("A group without committed offsets on Kafka", function()
  it("begins with the earliest record by offset_reset = earliest", function()
    local judge = new_judge("earliest")
    local writer = judge:new_writer()
    send(judge, writer, COUNT)
    local member = judge:start_member()
    send(judge, writer, COUNT)
    end_well(judge, member, 2 * COUNT)
  end)

  it("begins at the end by offset_reset = latest, and goes on where it has committed", function()
    local judge = new_judge("latest")
    local writer = judge:new_writer()
    send(judge, writer, COUNT)
    begin_here(judge)
    local member = judge:start_member()
    send(judge, writer, COUNT)
    end_well(judge, member, COUNT)
    send(judge, writer, COUNT)
    end_well(judge, judge:start_member(), 2 * COUNT)
  end)

  it("loses nothing by offset_reset = latest when it is killed before its first record ends",
    function()
      local judge = new_judge("latest")
      local writer = judge:new_writer()
      send(judge, writer, COUNT)
      begin_here(judge)
      local member = judge:start_member()
      send(judge, writer, COUNT, { wait_gate = "end" })
      judge:wait("the first record to begin", 10000, function()
        return judge.verdicts:count_running({}) > 0
      end)
      assert.same({ [0] = COUNT }, judge:sample(true))
      member.process:signal("sigkill")
      member.process:wait_exit()
      judge.app:open_gate("end")
      end_well(judge, judge:start_member(), COUNT)
    end)

  it("stops by offset_reset = none, says so, and commits nothing", function()
    local judge = new_judge("none")
    local writer = judge:new_writer()
    send(judge, writer, COUNT)
    local member = judge:start_member()
    assert.equal(1, #member:log("is stopped: the group has no committed offset there"))
    judge:stop_member(member)
    assert.equal(0, judge.verdicts.handled)
    assert.same({}, judge:sample(true))
  end)
end)

describe("A group whose next offset was removed", function()
  local function remove_before(judge, offset)
    assert(unit.oracle.delete_records(judge.brokers, judge.topic, 0, offset))
    judge.verdicts:excuse(0, 0, offset - 1)
  end

  it("says so and goes on at the earliest record left", function()
    local judge = new_judge("earliest")
    local writer = judge:new_writer()
    send(judge, writer, COUNT)
    local member = judge:start_member()
    judge:wait_committed(10000)
    judge:stop_member(member)

    send(judge, writer, 2 * COUNT)
    remove_before(judge, 2 * COUNT)
    member = judge:start_member()
    end_well(judge, member, 2 * COUNT)
    assert.equal(1, #member:log("offsets 20 to 39 were removed by retention before they were "
      .. "read; goes on at 40"))
    assert.equal(1, member:log("^consumer orders: stopped")[1].jumps)
  end)

  it("says so too when no record is left, and has no lag then", function()
    local judge = new_judge("earliest")
    local writer = judge:new_writer()
    send(judge, writer, COUNT)
    local member = judge:start_member()
    judge:wait_committed(10000)
    judge:stop_member(member)

    send(judge, writer, COUNT)
    remove_before(judge, 2 * COUNT)
    member = judge:start_member()
    judge:wait_committed(10000)
    send(judge, writer, COUNT)
    end_well(judge, member, 2 * COUNT)
    assert.equal(1, #member:log("offsets 20 to 39 were removed by retention before they were "
      .. "read; goes on at 40"))
    assert.equal(1, member:log("^consumer orders: stopped")[1].jumps)
  end)

  it("does so too when that happens while it runs", function()
    local judge = new_judge("earliest")
    local writer = judge:new_writer()
    send(judge, writer, COUNT)
    local member = judge:start_member()
    judge:wait_committed(10000)

    -- What is removed while the process stands cannot all be on its way to it.
    member.process:signal("sigstop")
    send(judge, writer, COUNT)
    send(judge, writer, 2 * COUNT)
    remove_before(judge, 3 * COUNT)
    member.process:signal("sigcont")
    judge:wait_handled(10000)
    judge:wait_committed(10000)
    judge:stop_member(member)
    assert.equal(1, #member:log("were removed by retention before they were read; goes on at 60"))
    assert.same({}, judge.verdicts.wrong)
  end)
end)

-- Topics with offsets that hold no record: the markers of transactions, and what was rolled back.

local broker = require("spec.support.broker")
local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")

describe("Transactions on a topic", function()
  local judge, writer

  before_each(function()
    judge = oracle.new({ partitions = 1, is_ordered = false })
    writer = judge:new_writer({ ["transactional.id"] = broker.unique("writer") })
    assert(writer:init_transactions())
  end)

  local function transaction(count, finish)
    local before = writer:counts()
    assert(writer:begin())
    for i = 1, count do
      traffic.send(writer, judge.topic, "order-" .. i, 1, {}, 0)
    end
    judge:wait("the records to be acknowledged", 10000, function()
      return writer:counts() == before + count
    end)
    assert(writer[finish](writer))
  end

  it("leave no lag behind, and what was rolled back is not handled", function()
    local member = judge:start_member()
    transaction(10, "commit")
    transaction(5, "abort")
    -- Ten records and a marker, five that count for nothing and a marker.
    judge.verdicts:excuse(0, 10, 16)
    judge:wait("the committed records to be handled", 10000, function()
      return judge.verdicts.handled == 10
    end)
    assert.same({ [0] = 17 }, judge:end_offsets())
    judge:wait_committed(10000)
    judge:stop_member(member)

    member = judge:start_member()
    transaction(3, "commit")
    judge.verdicts:excuse(0, 20, 20)
    judge:wait_handled(10000)
    judge:wait_committed(10000)
    judge:stop_member(member)
    assert.equal(13, judge.verdicts.handled)
    assert.equal(0, judge.verdicts:repeated("begun"))
    assert.same({}, judge.verdicts.wrong)
  end)
end)

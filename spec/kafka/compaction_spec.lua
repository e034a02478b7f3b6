-- A compacted topic: nine of ten offsets hold no record any more.

local kcat = require("spec.support.kcat")
local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")
local unit = require("unit")
local wait = require("spec.support.wait")

local KEYS, ROUNDS = 100, 10

describe("A compacted topic on Kafka", function()
  local judge, writer

  before_each(function()
    judge = oracle.new({ partitions = 1, is_ordered = false })
    assert(unit.oracle.alter_topic(judge.brokers, judge.topic, { ["cleanup.policy"] = "compact",
      ["segment.ms"] = 100, ["min.cleanable.dirty.ratio"] = 0.01 }))
    writer = judge:new_writer()
  end)

  local function send_round(number)
    local before = writer:counts()
    for key = 1, KEYS do
      traffic.send(writer, judge.topic, "order-" .. key, number, {}, 0)
    end
    wait.till("the round to be acknowledged", 10000, function()
      return writer:counts() == before + KEYS
    end)
  end

  -- What is left once it is one record of each key. What was written last is in a segment that is
  -- not compacted, so something has to be written on.
  local function wait_compacted()
    local others = 0
    return wait.till("the compaction", 30000, function()
      others = others + 1
      traffic.send(writer, judge.topic, "other-" .. others, 1, {}, 0)
      local records = kcat.consume(judge.brokers, judge.topic)
      return #records <= KEYS + others and records, #records .. " records are left"
    end)
  end

  it("is handled to its end, and leaves no lag behind its holes", function()
    for number = 1, ROUNDS do
      send_round(number)
    end
    local left = {} -- by offset
    for _, record in ipairs(wait_compacted()) do
      left[record.offset] = true
    end
    local last = judge:end_offsets()[0] - 1
    for offset = 0, last do
      if not left[offset] then
        judge.verdicts:excuse(0, offset, offset)
      end
    end

    local member = judge:start_member()
    judge:wait_handled(10000)
    judge:wait_committed(10000)
    send_round(ROUNDS + 1)
    judge:wait_handled(10000)
    judge:wait_committed(10000)
    judge:stop_member(member)
    assert.equal(0, member:log("^consumer orders: stopped")[1].jumps)
    assert.same({}, judge.verdicts.wrong)
  end)
end)

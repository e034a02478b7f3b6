-- A stop ends what has begun, and Kafka knows of all of it.

local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")

describe("A stop on Kafka", function()
  it("stays a member until its handlers have ended, also beyond a session timeout", function()
    local judge = oracle.new({ partitions = 2, consumer = { properties = {
      ["session.timeout.ms"] = 2000, ["heartbeat.interval.ms"] = 500 } } })
    local member = judge:start_member()
    local writer = judge:new_writer()
    traffic.send(writer, judge.topic, "slow", 1, { sleep_ms = 7000 }, 0)
    judge:wait("the handler to begin", 10000, function()
      return judge.verdicts:count_running({ partition = 0 }) == 1
    end)
    member.process:signal("sigterm")
    judge:wait("the end", 15000, function()
      return not member.process:is_running()
    end)

    assert.equal(0, member.process:wait_exit())
    assert.equal(0, #member:log("could not be committed"))
    assert.same({ [0] = 1, 0 }, judge:sample(true))
    assert.same({}, judge.verdicts.wrong)
  end)
end)

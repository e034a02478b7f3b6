-- The topology of docker/compose.yaml as processes, under an oracle: what an API side takes over
-- HTTP and what another client writes is handled by a worker side that grows and shrinks.

local oracle = require("spec.support.oracle")
local publishers = require("spec.support.oracle_publishers")

local HTTP, JAVA = 1000, 1000

describe("an API side and a worker side that grows from one to three and shrinks again", function()
  it("handle what comes over HTTP and from Kafka's own client, each record once", function()
    local judge = oracle.new({ config = publishers.config,
      consumer = { properties = { ["session.timeout.ms"] = 6000,
        ["heartbeat.interval.ms"] = 300 } } })
    local others = publishers.new(judge)
    local first = judge:start_member()
    others:begin_http(HTTP, HTTP // 5)
    others:produce(JAVA)
    local second, third = judge:start_member(), judge:start_member()
    others:produce(JAVA)
    judge:stop_member(first)
    judge:stop_member(second)
    others:produce(JAVA)
    judge:wait("the end of what comes over HTTP", 30000, function()
      return others:has_ended()
    end)
    judge:wait_handled(30000)
    judge:wait_committed(10000)
    judge:stop_member(third)
    assert.is_true(others:stop())
    assert.equal(HTTP + 3 * JAVA, others.acknowledged)
    assert.same({ HTTP + 3 * JAVA, 0, {} },
      { judge.verdicts.handled, judge.verdicts.again, judge.verdicts.wrong })
  end)
end)

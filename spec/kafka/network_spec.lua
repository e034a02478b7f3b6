-- The network between a member and its broker is slow, cut, brittle or drips.

local fault_proxy = require("spec.support.fault_proxy")
local kafka = require("spec.support.kafka")
local oracle = require("spec.support.oracle")

describe("Behind a bad network a member", function()
  local judge, member, front, sent

  before_each(function()
    local proxy = fault_proxy.start()
    local cluster = kafka.start({ listeners = { MEMBERS = "PLAINTEXT" },
      advertise = function(address)
        front = proxy:listen(address)
        return front.address
      end })
    judge = oracle.new({ brokers = cluster.brokers, member_brokers = front.address,
      has_out_topic = true })
    member = judge:start_member()
    sent = judge:start_traffic({ rate = 200, keys = 100, event = function()
      return { random_ms = 5, publish = 1 }
    end })
    judge:wait_progress("before the faults", 20000)
  end)

  local function end_well()
    front:set("none")
    sent:stop()
    judge:wait_handled(30000)
    judge:wait_committed(20000)
    judge:stop_member(member)
    assert.equal(0, #member:log("a record failed"))
    assert.same({}, judge.verdicts.wrong)
  end

  it("goes on through latency, resets and single bytes", function()
    front:set("latency", 100)
    judge:wait_progress("through latency", 30000)
    front:set("reset")
    judge:wait_progress("after a reset", 30000)
    front:set("slices")
    judge:wait_progress("byte by byte", 60000)
    end_well()
  end)

  it("that swallows everything for longer than its session loses its place, and no record",
    function()
      front:set("blackhole")
      judge:wait("the session to be over", 30000, function()
        return #member:log(": lost orders") > 0
      end)
      front:set("none")
      judge:wait_progress("after the blackhole", 60000)
      end_well()
    end)
end)

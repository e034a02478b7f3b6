-- Members that die or freeze.

local oracle = require("spec.support.oracle")

local PROPERTIES = { ["session.timeout.ms"] = 3000, ["heartbeat.interval.ms"] = 500,
  ["max.poll.interval.ms"] = 10000 }

local function start(strategy)
  local properties = { ["partition.assignment.strategy"] = strategy }
  for name, value in pairs(PROPERTIES) do
    properties[name] = value
  end
  local judge = oracle.new({ consumer = { properties = properties } })
  local first, second = judge:start_member(), judge:start_member()
  local sent = judge:start_traffic({ rate = 500, keys = 100, event = function(number)
    return number % 50 == 0 and { sleep_ms = 300 } or { random_ms = 5 }
  end })
  judge:wait_progress("with two members", 20000)
  return judge, first, second, sent
end

local function end_well(judge, sent, ...)
  sent:stop()
  judge:wait_handled(20000)
  judge:wait_committed(10000)
  for _, member in ipairs({ ... }) do
    judge:stop_member(member)
  end
  assert.same({}, judge.verdicts.wrong)
end

describe("A member on Kafka that starts after another was killed", function()
  it("says what it waits for, and goes on when the session of the other is over", function()
    local judge = oracle.new({ consumer = { properties = { ["session.timeout.ms"] = 13000 } } })
    local first = judge:start_member()
    local sent = judge:start_traffic({ rate = 100, keys = 10, event = function() return {} end })
    judge:wait_progress("of the first member", 20000)
    first.process:signal("sigkill")
    first.process:wait_exit()
    local second = judge:start_member({ is_waiting = false })
    second:wait_log(": still joining group %S+: another member .* ended without leaving; then "
      .. "Kafka waits until its session is over %(session%.timeout%.ms, 45 s unless set%)")
    judge:wait_progress("after the session", 20000)
    end_well(judge, sent, second)
  end)
end)

for _, strategy in ipairs({ "range", "cooperative-sticky" }) do
  describe("A member on Kafka, " .. strategy .. ",", function()
    it("that is killed under load loses nothing", function()
      local judge, first, second, sent = start(strategy)
      second.process:signal("sigkill")
      second.process:wait_exit()
      judge:wait_progress("after the kill", 20000)
      end_well(judge, sent, first)
    end)

    it("that freezes beyond its session loses its partitions, commits nothing stale and goes on",
      function()
        local judge, first, second, sent = start(strategy)
        first.process:signal("sigstop")
        judge:wait_progress("of the other member alone", 20000)
        first.process:signal("sigcont")
        judge:wait("the loss to be noticed", 20000, function()
          return #first:log(": lost orders") > 0
        end)
        local assigned = #first:log(": assigned orders")
        judge:wait("a new assignment", 20000, function()
          return #first:log(": assigned orders") > assigned
        end)
        judge:wait_progress("with two members again", 20000)
        end_well(judge, sent, first, second)
      end)
  end)
end

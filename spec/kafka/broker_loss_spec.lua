-- The broker is not there yet, or dies and comes back with what it had.

local json = require("cjson")

local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")
local wait = require("spec.support.wait")

describe("Without its broker a member", function()
  local cluster, node

  before_each(function()
    cluster = kafka.start()
    node = cluster.nodes[1]
  end)

  it("says every few seconds what is wrong, and works when the broker appears", function()
    local judge = oracle.new({ brokers = cluster.brokers })
    node:stop()
    local member = judge:start_member({ is_waiting = false })
    local waits = "^waiting for Kafka at " .. cluster.brokers .. ": .*connection refused"
    wait.till("the member to say twice that it waits", 15000, function()
      return #member:log(waits) == 2
    end)
    assert.equal(2, #member:log(nil, { level = "warn" }))

    node:start()
    cluster:wait_ready()
    judge:wait_assigned(member)
    traffic.send(judge:new_writer(), judge.topic, "order-1", 1, {})
    judge:wait("the record to be handled", 10000, function()
      return judge.verdicts.handled == 1
    end)
    judge:stop_member(member)
    assert.same({}, judge.verdicts.wrong)
  end)

  ---Every record that was handled had published one.
  local function check_published(judge)
    local published = {}
    for _, record in ipairs(kcat.consume(judge.brokers, judge.out_topic)) do
      local event = json.decode(record.value)
      published[("%s %d"):format(event.order_id, event.n)] = true
    end
    for key, last in pairs(judge.verdicts.keys) do
      for number = 1, last do
        local name = ("%s %d"):format(key, number)
        assert.is_true(published[name], name .. " was not published")
      end
    end
  end

  local function check_loss(wait_away)
    -- So few that handlers have to wait for room.
    local judge = oracle.new({ brokers = cluster.brokers, has_out_topic = true,
      out_properties = { ["queue.buffering.max.messages"] = 20 } })
    local member = judge:start_member()
    local sent = judge:start_traffic({ rate = 300, keys = 100, event = function()
      return { random_ms = 5, publish = 1 }
    end })
    judge:wait_progress("before the loss", 20000)
    node:kill()
    wait.till("the loss to be noticed", 20000, function()
      return #member:log("connection refused") > 0
    end)
    wait_away(member)
    node:start()
    cluster:wait_ready()
    judge:wait_progress("after the loss", 60000)
    sent:stop()
    judge:wait_handled(20000)
    judge:wait_committed(20000)
    judge:stop_member(member)
    assert.equal(0, #member:log("a record failed"))
    assert.same({}, judge.verdicts.wrong)
    check_published(judge)
  end

  it("that dies under load and is back at once goes on, and loses nothing", function()
    check_loss(function() end)
  end)

  it("that dies under load and is back after its session goes on, and loses nothing", function()
    check_loss(function(member)
      wait.till("the session to be over", 20000, function()
        return #member:log(": lost orders") > 0
      end)
    end)
  end)
end)

-- Failures on a real Kafka: orders are kept around them, and what is given up is not lost.

local brokers = require("spec.support.broker")
local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local oracle = require("spec.support.oracle")
local traffic = require("spec.support.oracle_traffic")
local unit = require("unit")
local wait = require("spec.support.wait")

local RETRIES = 2

describe("On Kafka, a record that fails", function()
  local function fill(options, count, event_of)
    local judge = oracle.new(options)
    local writer = judge:new_writer({ ["linger.ms"] = 5 })
    local keys = count // 10
    for i = 1, count do
      traffic.send(writer, judge.topic, "order-" .. (i - 1) % keys, (i - 1) // keys + 1,
        event_of(i))
    end
    judge:wait("all records to be acknowledged", 30000, function()
      return writer:counts() == count
    end)
    return judge
  end

  local function letters_of(judge, topic, count)
    local found = kcat.consume(judge.brokers, topic, { count = count })
    local places = {}
    for _, letter in ipairs(found) do
      local header = {}
      for _, pair in ipairs(letter.headers) do
        header[pair[1]] = pair[2]
      end
      local prefix = "lagoon-dead-letter-"
      assert.same({ judge.topic, judge.group, tostring(RETRIES + 1) },
        { header[prefix .. "topic"], header[prefix .. "group"], header[prefix .. "attempts"] })
      table.insert(places, letter.key)
    end
    table.sort(places)
    return places
  end

  it("is tried again in its order, and ends in the dead letters when it always fails", function()
    local count, bad = 20000, {}
    local judge = fill({ consumer = { workers = 8,
      on_error = { retries = RETRIES, backoff = "10ms", breaker = false } } }, count, function(i)
        if i % 1000 == 500 then
          table.insert(bad, "order-" .. (i - 1) % (count // 10))
          return { fail_times = RETRIES + 1, is_last = true }
        end
        return { fail_times = i % 10 == 0 and 1 or nil, random_ms = 1 }
      end)
    local member = judge:start_member()
    judge:wait_handled(60000)
    judge:wait_committed(10000)
    assert.equal(0, member:stop())
    assert.same({}, judge.verdicts.wrong)
    assert.equal(count // 10 - #bad + #bad * RETRIES, judge.verdicts.failed)
    assert.equal(0, judge.verdicts:repeated("ended"))
    table.sort(bad)
    assert.same(bad, letters_of(judge, ("%s.%s.dead-letter"):format(judge.topic, judge.group),
      #bad))
    local counts = member:wait_log("^consumer orders: stopped")
    assert.same({ count - #bad, #bad, 0 }, { counts.handled, counts.dead_letters, counts.failed })
  end)

  it("is not passed by its successors or a commit while no dead letter can be written", function()
    local cluster = kafka.start({ nodes = 3 })
    local letters = brokers.unique("letters")
    -- The dead letters are on the third node alone, everything else on the others too.
    assert(unit.kafka.create_topic(cluster.brokers, letters, 1, { 3 }))
    local judge = fill({ brokers = cluster.brokers, partitions = 1, nodes = { 1, 2 },
      consumer = { dead_letter = letters, on_error = { retries = RETRIES, backoff = "10ms" } } },
      1000, function(i)
        return i == 5 and { fail_times = RETRIES + 1, is_last = true } or {}
      end)
    cluster.nodes[3]:kill()
    local member = judge:start_member()
    judge:wait("the letter to be on its way", 30000, function()
      return #member:log("^consumer orders: a record is given up and goes to the dead letters") == 1
    end)
    -- Everything but the nine that come after it in its order.
    judge:wait("the others to be handled", 20000, function()
      return judge.verdicts.handled == 991
    end)
    wait.till("the commit of what comes before it", 20000, function()
      return judge:sample(true)[0] == 4
    end)
    assert.equal(1, judge.verdicts.keys["order-4"])
    cluster.nodes[3]:start()
    judge:wait_handled(60000)
    judge:wait_committed(20000)
    assert.equal(0, member:stop())
    assert.same({}, judge.verdicts.wrong)
    assert.same({ "order-4" }, letters_of(judge, letters, 1))
  end)
end)

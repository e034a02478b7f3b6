-- A group that lagoon and Kafka's own client share, one after the other and at the same time.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local clients = require("spec.support.kafka_client")
local unit = require("unit")
local wait = require("spec.support.wait")

local NOTE = [[
local journal = require("journal")
return function(event, context)
  journal.record(context, { n = event.n })
end
]]

describe("A group of Kafka's own client", function()
  local broker, client, topic, app

  setup(function()
    broker = brokers.start()
    client = clients.shared()
  end)

  before_each(function()
    topic = broker:new_topic("shared", 2)
    app = application.new(broker.brokers, { consumers = { reader = { topic = topic, group = topic,
      handlers = { Event = "handlers.note" } } } }, { ["handlers/note"] = NOTE })
  end)

  ---Records numbered from first to last, which go to both partitions in turn.
  local function produce(first, last)
    local records = {}
    for n = first, last do
      table.insert(records, { key = "k", value = ('{"n":%d}'):format(n), partition = n % 2,
        headers = { { "Message-Type", "Event" } } })
    end
    assert(client:produce(broker.brokers, topic, records))
  end

  ---As a member of the group; the client's own way to share partitions is used.
  local function member()
    return { ["group.id"] = topic, ["auto.offset.reset"] = "earliest",
      ["enable.auto.commit"] = false }
  end

  local function numbers(list)
    local sorted = {}
    for i, one in ipairs(list) do
      sorted[i] = math.tointeger(one.n or one.value:match('"n":(%d+)'))
    end
    table.sort(sorted)
    return sorted
  end

  local function range(first, last)
    local list = {}
    for n = first, last do
      table.insert(list, n)
    end
    return list
  end

  it("is continued where it committed, and continues where lagoon did", function()
    produce(1, 20)
    assert.same(range(1, 20), numbers(client:consume(broker.brokers, topic, 20, member())))
    produce(21, 40)
    local lagoon = app:start({ "run" })
    app:wait_journal(20)
    assert.equal(0, lagoon:stop())
    assert.same(range(21, 40), numbers(app:journal()))
    produce(41, 60)
    assert.same(range(41, 60), numbers(client:consume(broker.brokers, topic, 20, member())))
  end)

  it("is shared with lagoon: each has a partition, and nothing is read by both or by none",
    function()
      local lagoon = app:start({ "run" })
      lagoon:wait_assigned("reader")
      local finish = client:begin_consume(broker.brokers, topic, 10, member())
      wait.till("two members with partitions", 20000, function()
        local group = unit.kafka.group(broker.brokers, topic)
        return group.members == 2 and group.state == "Stable"
      end)
      for n = 1, 20 do
        assert(unit.kafka.produce(broker.brokers, topic, { value = ('{"n":%d}'):format(n),
          partition = n % 2, headers = { { "Message-Type", "Event" } } }))
      end
      local theirs = finish()
      local ours = app:wait_journal(10)
      assert.same(range(1, 20), numbers(table.move(ours, 1, #ours, #theirs + 1, theirs)))
      -- The client has left, and all of it is lagoon's again.
      produce(21, 30)
      app:wait_journal(20)
      assert.equal(0, lagoon:stop())
    end)
end)

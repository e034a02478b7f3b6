-- Static members of a group on a real Kafka.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local unit = require("unit")

local NOTE = [[
local journal = require("journal")
return function(_, context)
  journal.record(context, { member = require("lagoon").env("MEMBER") })
end
]]

local PARTITIONS = 4

local CONFIG = [[
return {
  cluster = { brokers = %q },
  consumers = {
    c = {
      topic = %q, group = %q, instance_id = env("MEMBER"),
      properties = { ["session.timeout.ms"] = 20000, ["heartbeat.interval.ms"] = 500 },
      handlers = { Event = "handlers.note" },
    },
  },
}
]]

describe("A consumer with instance_id", function()
  local address, topic, app

  before_each(function()
    address = kafka.shared().brokers
    topic = brokers.unique("static")
    assert(unit.kafka.create_topic(address, topic, PARTITIONS))
    app = application.new(address, CONFIG:format(address, topic, brokers.unique("g")),
      { ["handlers/note"] = NOTE })
  end)

  local function start(member)
    return app:start({ "run" }, { env = { MEMBER = member } })
  end

  local function produce_to_all()
    for partition = 0, PARTITIONS - 1 do
      kcat.produce(address, topic, { { key = "k", value = "{}" } },
        { partition = partition, headers = { { "Message-Type", "Event" } } })
    end
  end

  ---Which member handled the last record of each partition.
  local function owners()
    local list = {}
    for _, entry in ipairs(app:journal()) do
      list[entry.partition] = entry.member
    end
    return list
  end

  it("keeps its partitions over a restart, and no other member is disturbed", function()
    local one = start("one")
    one:wait_assigned("c")
    local other = start("other")
    other:wait_assigned("c")
    produce_to_all()
    app:wait_journal(PARTITIONS)
    local before, seen = owners(), #other:log("^consumer c: ")

    assert.equal(0, one:stop())
    one = start("one")
    one:wait_assigned("c")
    produce_to_all()
    app:wait_journal(2 * PARTITIONS)
    assert.same(before, owners())
    assert.equal(seen, #other:log("^consumer c: "))
    assert.equal(0, one:stop())
    assert.equal(0, other:stop())
  end)

  it("is told by its own sentence when another process takes its place", function()
    local first = start("one")
    first:wait_assigned("c")
    local second = start("one")
    second:wait_assigned("c")
    assert.equal(6, (first.process:wait_exit(20000)))
    local said = first:log(nil, { level = "error" })
    assert.equal(1, #said)
    assert.matches('^consumer c: another process has joined group .- with instance_id "one" and '
      .. "has taken this one's place; give each process an id of its own; the process stops$",
      said[1].message)
    produce_to_all()
    app:wait_journal(PARTITIONS, { member = "one" })
    assert.equal(0, second:stop())
  end)
end)

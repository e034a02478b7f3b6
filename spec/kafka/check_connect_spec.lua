-- lagoon check --connect against a real Kafka: rights, what it would create, few replicas.

local application = require("spec.support.application")
local kafka = require("spec.support.kafka")
local lines = require("spec.support.lines")
local unit = require("unit")

local AUTHORIZER = [[
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
]]

local CONFIG = [[
return {
  cluster = { brokers = %q },
  topics = {
    fresh = { partitions = 4 },
    wide = { replicas = 9 },
    odd = { config = { ["no.such.setting"] = 1 } },
    closed = { partitions = 1 },
  },
  producers = { p = { topic = "unknown" } },
  consumers = { c = { topic = "fresh", group = "closed-group", handlers = { A = "handlers.a" } } },
}
]]

local function check(cluster, config)
  local app = application.new("", config:format(cluster.brokers),
    { ["handlers/a"] = "return function() end" })
  local one = app:run({ "check", "--connect" }).process
  local problems, remarks = lines(one:stderr()), lines(one:stdout())
  table.remove(remarks, 1)
  return one.code, problems, remarks
end

describe("lagoon check --connect on a real Kafka", function()
  it("says missing rights and what cannot be created, and creates nothing", function()
    local cluster = kafka.start({ settings = AUTHORIZER })
    assert(unit.kafka.create_topic(cluster.brokers, "closed", 1))
    assert(unit.kafka.deny(cluster.brokers, "topic", "closed"))
    assert(unit.kafka.deny(cluster.brokers, "group", "closed-group"))
    local code, problems, remarks = check(cluster, CONFIG)
    assert.equal(8, code)
    assert.matches("^config%.lua:5: topics%.wide: does not exist and cannot be created: "
      .. ".*[Rr]eplica", table.remove(problems, 1))
    assert.matches("^config%.lua:6: topics%.odd: does not exist and cannot be created: "
      .. ".*no%.such%.setting", table.remove(problems, 1))
    assert.same({
      'config.lua:7: topics.closed: no right to see topic "closed"; this client needs Describe on '
        .. "it, to read it Read, to publish Write",
      'config.lua:9: producers.p: topic "unknown" is neither there nor declared in `topics`, so '
        .. "lagoon does not create it",
      'config.lua:10: consumers.c: no right to be in group "closed-group"; this client needs Read '
        .. "on it",
    }, problems)
    assert.same({
      "config.lua:4: topics.fresh: does not exist yet; lagoon creates it when it starts",
    }, remarks)
    assert.equal(0, (unit.kafka.partitions(cluster.brokers, "fresh")))
  end)

  it("survives the first question for a group, before Kafka has a topic for groups", function()
    local cluster = kafka.start()
    local consumers = {}
    for number = 1, 8 do
      table.insert(consumers, ('c%d = { topic = "t", group = "g%d", handler = "handlers.a" },')
        :format(number, number))
    end
    local code, problems = check(cluster, [[
return {
  cluster = { brokers = %q },
  topics = { t = { partitions = 1 } },
  consumers = { ]] .. table.concat(consumers) .. [[ },
}
]])
    assert.same({ 0, {} }, { code, problems })
  end)

  it("says of three brokers that one replica is few", function()
    local cluster = kafka.start({ nodes = 3 })
    assert(unit.kafka.create_topic(cluster.brokers, "alone", 1, { 1 }))
    local code, problems, remarks = check(cluster, [[
return {
  cluster = { brokers = %q },
  topics = { alone = { partitions = 1, replicas = 1 }, fresh = { replicas = 1 } },
}
]])
    assert.same({ 0, {} }, { code, problems })
    local few = "has 1 replica though there are 3 brokers: its records are lost with the one that "
      .. "has them; `replicas = 3` is usual"
    assert.same({
      "config.lua:3: topics.alone: " .. few,
      "config.lua:3: topics.fresh: does not exist yet; lagoon creates it when it starts",
      "config.lua:3: topics.fresh: " .. few,
      "config.lua: the brokers agree",
    }, remarks)
  end)
end)

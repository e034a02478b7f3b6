local config_file = require("spec.support.config_file")

local good, problems = config_file.good, config_file.problems

-- Two clusters and what is written of the rest.
local function two(rest)
  return [[
return {
  clusters = { east = { brokers = "a:1" }, west = { brokers = "b:1" } },
]] .. rest .. "\n}"
end

local function consumer(text)
  return ('{ group = "g", handlers = { A = "a" }, %s }'):format(text)
end

local function cluster_of_consumer(rest, text)
  local loaded = good(two(rest .. " consumers = { c = " .. consumer(text) .. "},"))
  return loaded.consumers[1].cluster
end

describe("config with several clusters", function()
  it("lists them as they stand, `cluster` first and under the name default", function()
    local loaded = good([[
return {
  clusters = {
    west = { brokers = "b:1" },
    ["far east"] = { brokers = "c:1", properties = { ["client.rack"] = "r" } },
  },
  cluster = { brokers = "a:1" },
}
]])
    assert.same({
      { name = "default", path = "cluster", brokers = "a:1", properties = {},
        place = "config.lua:6" },
      { name = "west", path = "clusters.west", brokers = "b:1", properties = {},
        place = "config.lua:3" },
      { name = "far east", path = 'clusters["far east"]', brokers = "c:1",
        properties = { "client.rack=r" }, place = "config.lua:4" },
    }, loaded.clusters)
  end)

  it("takes the cluster that is named", function()
    local loaded = good(two([[
  topics = { t = { cluster = "west" } },
  producers = { p = { topic = "t", cluster = "west" } },
  consumers = { c = ]] .. consumer('topic = "u", cluster = "east"') .. " },"))
    assert.equal("west", loaded.topics[1].cluster)
    assert.equal("west", loaded.producers[1].cluster)
    assert.equal("east", loaded.consumers[1].cluster)
  end)

  it("takes the cluster of the declared topics, else the only one, else the default", function()
    local topics = 'topics = { t = { cluster = "west" }, u = { cluster = "east" } },'
    assert.equal("west", cluster_of_consumer(topics, 'topics = { "t", "other", "^x" }'))
    local loaded = good(two(topics .. 'producers = { p = { topic = "u" } },'))
    assert.equal("east", loaded.producers[1].cluster)
    assert.equal("one", good('return { clusters = { one = { brokers = "a:1" } }, '
      .. 'producers = { p = { topic = "t" } } }').producers[1].cluster)
    local rest = 'cluster = { brokers = "z:1" }, ' .. topics
    assert.equal("default", cluster_of_consumer(rest, 'topic = "other"'))
    assert.equal("default", cluster_of_consumer(rest, 'topics = { "t", "u" }'))
    assert.equal("west", cluster_of_consumer(rest, 'topic = "t"'))
  end)

  it("asks for the cluster where nothing tells it", function()
    assert.same({
      'config.lua:3: topics.t.cluster: is missing, and there is more than one: "east" or "west"',
      'config.lua:4: producers.p.cluster: is missing, and there is more than one: '
        .. '"east" or "west"',
      'config.lua:5: consumers.c.cluster: is missing, and there is more than one: '
        .. '"east" or "west"',
    }, problems(two([[
  topics = { t = {} },
  producers = { p = { topic = "t" } },
  consumers = { c = ]] .. consumer('topic = "t"') .. " },")))
  end)

  it("refuses a cluster that is not declared", function()
    assert.same({ 'config.lua:3: producers.p.cluster: must be a declared cluster, which is "east" '
      .. "or \"west\", got \"wst\", did you mean 'west'?" },
      problems(two('  producers = { p = { topic = "t", cluster = "wst" } },')))
    assert.same({ 'config.lua:3: topics.t.cluster: must be a name of 1 to 255 printable '
      .. 'characters, got 5' }, problems(two('  topics = { t = { cluster = 5 } },')))
    assert.same({ 'config.lua:3: topics.t.clustre: unknown key, did you mean \'cluster\'?' },
      problems(two('  topics = { t = { clustre = "east" } },')))
  end)

  it("needs at least one, whose name is no other's", function()
    assert.same({ "config.lua:1: clusters: must not be empty" },
      problems("return { clusters = {} }"))
    assert.same({ "config.lua:1: cluster: is missing" }, problems("return {}"))
    assert.same({ "config.lua:2: clusters.default: is the name of `cluster`, keep one of them or "
      .. "choose another name" },
      problems('return { cluster = { brokers = "a:1" },\nclusters = { default = '
        .. '{ brokers = "b:1" } } }'))
    assert.same({ "config.lua:1: clusters.a.brokers: is missing" },
      problems("return { clusters = { a = {} } }"))
  end)

  it("takes two consumers of one group on different clusters, or when one is disabled", function()
    local function both(one, other)
      return two("  consumers = { c = " .. consumer('topic = "t", ' .. one) .. ",\n  d = "
        .. consumer('topic = "t", ' .. other) .. "},")
    end
    assert.equal(2, #good(both('cluster = "east"', 'cluster = "west"')).consumers)
    assert.equal(2, #good(both('cluster = "east"', 'cluster = "east", enabled = false')).consumers)
    assert.same({ 'config.lua:4: consumers.d.group: "g" is the group of consumers.c too, each '
      .. "consumer needs its own" }, problems(both('cluster = "east"', 'cluster = "east"')))
  end)

  it("notices a topic that is declared on another cluster only", function()
    local loaded = good(two([[
  topics = { t = { cluster = "west" } },
  producers = { p = { topic = "t", cluster = "east" } },]]))
    assert.same({ 'config.lua:4: producers.p: "t" is declared on cluster "west", here it is the '
      .. 'one on cluster "east"' }, loaded.notices)
  end)
end)

describe("config of a consumer", function()
  it("takes patterns among its topics", function()
    assert.same({ "^orders-[a-z]+$", "payments" },
      good(two('  consumers = { c = ' .. consumer('topics = { "^orders-[a-z]+$", "payments" }, '
        .. 'cluster = "east"') .. " },")).consumers[1].topics)
  end)

  it("refuses dead letters by a pattern, and beside one", function()
    local function of(text)
      return problems(two("  consumers = { c = " .. consumer(text .. ', cluster = "east"')
        .. " },"))
    end
    assert.same({ "config.lua:3: consumers.c.topic: no pattern matches dead letters, name their "
      .. 'topics, got "^a.*dead-letter$"' }, of('topic = "^a.*dead-letter$"'))
    assert.same({ "config.lua:3: consumers.c.topics[1]: the pattern beside it hides dead letters, "
      .. 'read them by a consumer of their own, got "a.g.dead-letter"' },
      of('topics = { "a.g.dead-letter", "^a" }'))
  end)

  it("refuses an instance_id that Kafka would not take", function()
    assert.same({ "config.lua:3: consumers.c.instance_id: must be a name of 1 to 249 letters, "
      .. "digits, '.', '_' and '-', got \"a b\"" },
      problems(two('  consumers = { c = ' .. consumer('topic = "t", cluster = "east", '
        .. 'instance_id = "a b"') .. " },")))
  end)
end)

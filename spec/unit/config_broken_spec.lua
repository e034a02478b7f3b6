local config_file = require("spec.support.config_file")

local problems = config_file.problems

-- What is changed in the good config of spec.support.config_file, and every problem it makes.
local function assert_broken(cases)
  for _, case in ipairs(cases) do
    local old, new, expected = table.unpack(case)
    assert.same(type(expected) == "table" and expected or { expected },
      problems(config_file.good_but(old, new)))
  end
end

local CLUSTER = 'cluster = { brokers = "localhost:9092" },'
local TOPIC = "partitions = 2"
local PRODUCER = 'p = { topic = "orders" }'
local TOPIC_NAME = "must be a legal topic name, which is 1 to 249 letters, digits, '.', '_' and '-'"

describe("config", function()
  it("reports an unknown key, and the key it may have been", function()
    assert_broken({
      { CLUSTER, 'clstr = { brokers = "a:1" },',
        "config.lua:2: clstr: unknown key, did you mean 'cluster'?" },
      { CLUSTER, 'clustrs = { a = { brokers = "a:1" } },',
        "config.lua:2: clustrs: unknown key, did you mean 'clusters'?" },
      { TOPIC, "partitons = 2",
        "config.lua:3: topics.orders.partitons: unknown key, did you mean 'partitions'?" },
      { PRODUCER, 'p = { topic = "orders", key_feild = "id" }',
        "config.lua:4: producers.p.key_feild: unknown key, did you mean 'key_field'?" },
      { PRODUCER, 'p = { topic = "orders", idempotent = true }',
        "config.lua:4: producers.p.idempotent: unknown key" },
      { CLUSTER, CLUSTER .. ' admin = { listen = "example.com:80", port = 1 },', {
        "config.lua:2: admin.port: unknown key",
        'config.lua:2: admin.listen: must be an address such as "127.0.0.1:9464", "[::1]:9464", '
          .. '":9464" for every address of the machine, or "unix:/path", got "example.com:80"' } },
      { 'cluster = {', 'cluster = { "a:1",', "config.lua:2: cluster[1]: unknown key" },
      { CLUSTER, CLUSTER .. " log = { levle = 1, [true] = 2 },", {
        "config.lua:2: log.levle: unknown key, did you mean 'level'?",
        "config.lua:2: log[true]: unknown key" } },
      { CLUSTER, CLUSTER .. " Producers = {},",
        "config.lua:2: Producers: unknown key, did you mean 'producers'?" },
      { CLUSTER, CLUSTER .. " dashboard = {},", "config.lua:2: dashboard: unknown key" },
    })
  end)

  it("reports what is missing at the line of what is around it", function()
    assert_broken({
      { CLUSTER, "", "config.lua:1: cluster: is missing" },
      { 'brokers = "localhost:9092"', "", "config.lua:2: cluster.brokers: is missing" },
      { PRODUCER, "\n p = {}", "config.lua:5: producers.p.topic: is missing" },
    })
  end)

  it("reports a value of the wrong type", function()
    assert_broken({
      { CLUSTER, 'cluster = "localhost:9092",',
        'config.lua:2: cluster: must be a table, got "localhost:9092"' },
      { "{ orders = { partitions = 2 } }", '"orders"',
        'config.lua:3: topics: must be a table such as {orders = {...}}, got "orders"' },
      { "{ orders = { partitions = 2 } }", '{ "orders" }',
        "config.lua:3: topics[1]: must have a name, such as orders = {...}" },
      { "orders = { partitions = 2 }", "orders = 2",
        "config.lua:3: topics.orders: must be a table, got 2" },
      { TOPIC, 'partitions = "2"',
        'config.lua:3: topics.orders.partitions: must be an integer from 1 to 100000, got "2"' },
      { TOPIC, "partitions = 2.5",
        "config.lua:3: topics.orders.partitions: must be an integer from 1 to 100000, got 2.5" },
      { TOPIC, 'create = "yes"',
        'config.lua:3: topics.orders.create: must be true or false, got "yes"' },
      { TOPIC, "config = { a = {} }",
        "config.lua:3: topics.orders.config.a: " ..
        "must be text, a number, true or false, got a table" },
      { PRODUCER, 'p = { topic = "orders", type_header = true }',
        "config.lua:4: producers.p.type_header: " ..
        "must be the name of a header, or false for none, got true" },
      { PRODUCER, 'p = { topic = function() end }',
        "config.lua:4: producers.p.topic: " .. TOPIC_NAME .. ", got a function" },
    })
  end)

  it("reports a value out of its range", function()
    assert_broken({
      { TOPIC, "partitions = 0",
        "config.lua:3: topics.orders.partitions: must be an integer from 1 to 100000, got 0" },
      { TOPIC, "replicas = -1",
        "config.lua:3: topics.orders.replicas: must be an integer from 1 to 1000, got -1" },
      { CLUSTER, CLUSTER .. ' stop_timeout = "500ms",',
        'config.lua:2: stop_timeout: must be a duration from 1s to 1h, got "500ms"' },
      { CLUSTER, CLUSTER .. " stop_timeout = 0/0,",
        'config.lua:2: stop_timeout: must be a duration such as "250ms", "30s" or "5m", got '
        .. tostring(0 / 0) },
    })
  end)

  it("reports names that Kafka or a log line could not bear", function()
    assert_broken({
      { PRODUCER, 'p = { topic = "a b" }',
        "config.lua:4: producers.p.topic: " .. TOPIC_NAME .. ', got "a b"' },
      { PRODUCER, 'p = { topic = ".." }',
        "config.lua:4: producers.p.topic: " .. TOPIC_NAME .. ', got ".."' },
      { PRODUCER, 'p = { topic = ("x"):rep(250) }', "config.lua:4: producers.p.topic: "
        .. TOPIC_NAME .. ', got "' .. ("x"):rep(60) .. '..."' },
      { "orders = { partitions = 2 }", '["a/b"] = {}',
        'config.lua:3: topics["a/b"]: ' .. TOPIC_NAME .. ', got "a/b"' },
      { PRODUCER, '["a\\nb"] = { topic = "orders" }', 'config.lua:4: producers["a\\nb"]: ' ..
        'must be a name of 1 to 255 printable characters, got "a\\nb"' },
      { PRODUCER, 'p = { topic = "orders", key_field = "payment..id" }',
        "config.lua:4: producers.p.key_field: " ..
        'must be a path in the event such as "payment.id", got "payment..id"' },
      { PRODUCER, 'p = { topic = "orders", key_missing = "uid" }',
        "config.lua:4: producers.p.key_missing: " ..
        'must be "uuid" or "error", got "uid", did you mean \'uuid\'?' },
    })
  end)

  it("reports brokers that are not host:port", function()
    local function brokers(text, expected)
      return { '"localhost:9092"', text, "config.lua:2: cluster.brokers: " .. expected }
    end
    assert_broken({
      brokers('"localhost"',
        'must be host:port, got "localhost", did you mean \'localhost:9092\'?'),
      brokers('"a:1,b:65536"', 'must be host:port, got "b:65536"'),
      brokers('"a:1,,b:2"', 'must be host:port, got ""'),
      brokers('"SSL://a:1"', 'must be host:port, got "SSL://a:1"'),
      brokers('{ "a:1", 5 }', "must be host:port, got 5"),
      brokers("{}", "must be host:port, several in one text or a list, got a table"),
      brokers("9092", "must be host:port, several in one text or a list, got 9092"),
    })
  end)

  it("reports properties that are no text", function()
    local function properties(text, expected)
      return { 'brokers = "localhost:9092"', 'brokers = "a:1", properties = ' .. text, expected }
    end
    local must = ": must be text, an integer, true or false, got "
    assert_broken({
      properties('{ ["a.b"] = 1.5 }', 'config.lua:2: cluster.properties["a.b"]' .. must .. "1.5"),
      properties("{ a = {} }", "config.lua:2: cluster.properties.a" .. must .. "a table"),
      properties('{ a = "x\\0y" }', "config.lua:2: cluster.properties.a" .. must .. '"x\\0y"'),
      properties('{ "a=b" }', "config.lua:2: cluster.properties[1]: " ..
        'must have a name, such as ["socket.timeout.ms"] = 10000'),
      properties('"a=b"', "config.lua:2: cluster.properties: " ..
        'must be a table such as {["socket.timeout.ms"] = 10000}, got "a=b"'),
    })
  end)

  it("reports a key that is written twice", function()
    assert_broken({
      { PRODUCER, 'p = {\n topic = "a",\n topic = "b" }',
        "config.lua:6: producers.p.topic: is written twice, first on line 5" },
      { PRODUCER, PRODUCER .. ",\n" .. '["p"] = { topic = "b" }',
        "config.lua:5: producers.p: is written twice, first on line 4" },
      { CLUSTER, CLUSTER .. "\n" .. CLUSTER,
        "config.lua:3: cluster: is written twice, first on line 2" },
    })
  end)

  it("reports everything at once, sorted by line", function()
    assert.same({
      "config.lua:2: cluster.brokers: must be host:port, got \"x\", did you mean 'x:9092'?",
      "config.lua:3: topics.orders.partitions: must be an integer from 1 to 100000, got 0",
      "config.lua:4: producers.p.topic: is missing",
      "config.lua:6: consumers.c.group: is missing",
      "config.lua:6: consumers.c: needs handlers or handler",
      "config.lua:8: consumers.c.buffer_size: must be an integer from 1 to 10000, got 0",
      'config.lua:11: log.level: must be "debug", "info", "warn" or "error", got "warning", '
        .. "did you mean 'warn'?",
    }, problems([[
return {
  cluster = { brokers = "x" },
  topics = { orders = { partitions = 0 } },
  producers = { p = {} },
  consumers = {
    c = {
      topic = "orders",
      buffer_size = 0,
    },
  },
  log = { level = "warning" },
}
]]))
  end)
end)

local cluster = require("unit").cluster
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")
local log = require("unit").log
local scope = require("spec.support.scope")

---A config with these properties, as Lua text, on the cluster, the producer and the consumer.
local function write(properties)
  local source = ([[
return {
  cluster = { brokers = "127.0.0.1:1", properties = { %s } },
  topics = { orders = { partitions = 3 } },
  producers = { p = { topic = "orders", properties = { %s } } },
  consumers = {
    c = { topic = "orders", group = "g", handlers = { A = "a" }, properties = { %s } },
  },
}
]]):format(properties.cluster or "", properties.producer or "", properties.consumer or "")
  return directory.write(directory.with({}) .. "/config.lua", source)
end

---Problems of such a config, without the folder of its file.
local function problems(properties)
  local lines = cluster.check(write(properties))
  for i, line in ipairs(lines) do
    lines[i] = line:gsub("^.*/config%.lua:", "")
  end
  return lines
end

---What is in front of what is wrong: line and path.
local function places(properties)
  local list = problems(properties)
  for i, line in ipairs(list) do
    list[i] = line:match("^%d+: [^:]+")
  end
  return list
end

local function value(properties, ...)
  return cluster.value(write(properties), ...)
end

---A handle for questions about the topics of a config, that is about the text in `topics`.
local function new_query(brokers, topics)
  local source = config_file.good_but("orders = { partitions = 2 }", topics)
  local path = directory.write(directory.with({}) .. "/config.lua", source)
  local query = cluster.query(path, brokers)
  scope.defer(function()
    query:close()
  end)
  return query
end

local function logged(act)
  return table.concat(log.capture("text", "info", act))
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

describe("cluster", function()
  describe("configures handles", function()
    it("so that an acknowledgement is what a broker has, once, and nothing is given up", function()
      local path = write({})
      for name, expected in pairs({
        ["enable.idempotence"] = "true", ["message.timeout.ms"] = "0", ["linger.ms"] = "2",
        ["max.in.flight.requests.per.connection"] = "1",
        ["compression.type"] = "lz4", ["socket.nagle.disable"] = "true",
        ["allow.auto.create.topics"] = "false", ["message.max.bytes"] = "1114112",
        ["bootstrap.servers"] = "127.0.0.1:1", ["log.queue"] = "true",
        ["queue.buffering.max.kbytes"] = "65536", ["queue.buffering.max.messages"] = "100000",
      }) do
        assert.equal(expected, (cluster.value(path, "producer", name)), name)
      end
    end)

    it("so that librdkafka commits nothing by itself", function()
      local path = write({})
      for name, expected in pairs({
        ["enable.auto.commit"] = "false", ["enable.auto.offset.store"] = "false",
        ["auto.offset.reset"] = "smallest", ["socket.nagle.disable"] = "true",
        ["allow.auto.create.topics"] = "false", ["session.timeout.ms"] = "45000",
        ["partition.assignment.strategy"] = "range,roundrobin", ["fetch.max.bytes"] = "4194304",
      }) do
        assert.equal(expected, (cluster.value(path, "consumer", name)), name)
      end
    end)

    it("with short timings and no compression for an embedded broker", function()
      local path = write({})
      assert.equal("6000", (cluster.value(path, "consumer", "session.timeout.ms", true)))
      assert.equal("1000", (cluster.value(path, "consumer", "heartbeat.interval.ms", true)))
      assert.equal("5", (cluster.value(path, "consumer", "fetch.wait.max.ms", true)))
      assert.equal("none", (cluster.value(path, "producer", "compression.type", true)))
    end)

    it("with the user's properties over its own, the inner ones over the cluster's", function()
      local properties = {
        cluster = '["linger.ms"] = 7, ["compression.codec"] = "gzip"',
        producer = '["queue.buffering.max.ms"] = 9, ["enable.idempotence"] = false',
      }
      assert.equal("9", (value(properties, "producer", "linger.ms")))
      assert.equal("gzip", (value(properties, "producer", "compression.type")))
      assert.equal("false", (value(properties, "producer", "enable.idempotence")))
      assert.equal("7", (value({ cluster = '["linger.ms"] = 7' }, "producer", "linger.ms")))
    end)

    it("without values of its own that contradict what the user sets", function()
      local large = { cluster = '["message.max.bytes"] = 9000000, ["reconnect.backoff.ms"] = 5000' }
      assert.same({}, problems(large))
      assert.equal("9000000", (value(large, "producer", "message.max.bytes")))
    end)

    it("without security properties for an embedded broker", function()
      local properties = { cluster = '["sasl.mechanism"] = "PLAIN", ["client.rack"] = "r1"' }
      assert.equal("PLAIN", (value(properties, "consumer", "sasl.mechanism")))
      assert.equal("GSSAPI", (value(properties, "consumer", "sasl.mechanism", true)))
      assert.equal("r1", (value(properties, "consumer", "client.rack", true)))
      assert.is_true(cluster.is_security("ssl.ca.location"))
      assert.is_true(cluster.is_security("enable.ssl.certificate.verification"))
      assert.is_false(cluster.is_security("session.timeout.ms"))
    end)

    it("and says what a property comes to", function()
      local path = write({ consumer = '["max.poll.interval.ms"] = 123456' })
      assert.equal(123456, cluster.integer(path, "max.poll.interval.ms"))
      assert.equal(45000, cluster.integer(path, "session.timeout.ms"))
    end)
  end)

  describe("checks properties without a broker", function()
    it("and finds nothing wrong with none", function()
      assert.same({}, problems({}))
    end)

    it("and suggests the name that was meant", function()
      local lines = problems({ consumer = '["fetch.min.byte"] = 3' })
      assert.equal(1, #lines)
      assert.matches('^6: consumers%.c%.properties%["fetch%.min%.byte"%]: librdkafka [%d.]+ knows '
        .. "no such property, did you mean 'fetch%.min%.bytes'%?$", lines[1])
      assert.matches("knows no such property$", problems({ cluster = '["zzzz"] = 3' })[1])
    end)

    it("and says librdkafka's refusals under the user's own name", function()
      assert.same({ '4: producers.p.properties["linger.ms"]: value -4 is outside allowed range '
        .. "0..900000" }, problems({ producer = '["linger.ms"] = -4' }))
      assert.same({ '2: cluster.properties["compression.type"]: invalid value "lz5"' },
        problems({ cluster = '["compression.type"] = "lz5"' }))
      assert.same({ '4: producers.p.properties["linger.ms"]: invalid value "soon"' },
        problems({ producer = '["linger.ms"] = "soon"' }))
      assert.same({ '4: producers.p.properties["dr_cb"]: is for programs that use librdkafka '
        .. "themselves" }, problems({ producer = '["dr_cb"] = "f"' }))
    end)

    it("and refuses what it relies on, with the reason", function()
      local refused = {
        cluster = { "bootstrap.servers", "allow.auto.create.topics", "log.queue",
          "plugin.library.paths", "group.id", "message.timeout.ms" },
        consumer = { "group.id", "enable.auto.commit", "enable.auto.offset.store",
          "auto.offset.reset", "enable.partition.eof", "auto.commit.interval.ms" },
        producer = { "message.timeout.ms", "delivery.timeout.ms", "transactional.id", "retries" },
      }
      for kind, names in pairs(refused) do
        for _, name in ipairs(names) do
          local lines = problems({ [kind] = ('["%s"] = 1'):format(name) })
          assert.equal(1, #lines, name)
          assert.matches("cannot be set: .+", lines[1])
        end
      end
      assert.matches("offset_reset", problems({ consumer = '["auto.offset.reset"] = "latest"' })[1])
    end)

    it("and refuses only the value that breaks a promise", function()
      assert.matches("cannot be set: a delivery", problems({ producer = "acks = 0" })[1])
      assert.same({}, problems({ producer = 'acks = "all"' }))
    end)

    it("and names all that is wrong at once", function()
      local found = places({ cluster = '\n\n["fetch.min.byte"] = 1', producer = "\nacks = 0" })
      assert.same({ '4: cluster.properties["fetch.min.byte"]',
        '7: producers.p.properties["acks"]' }, found)
      assert.same({ "7: consumers.c.properties" }, places({ consumer = '["client.id"] = "x",\n'
        .. '["max.poll.interval.ms"] = 9000, ["session.timeout.ms"] = 10000' }))
      assert.equal(4, #problems({
        cluster = "aaaa = 1",
        producer = 'bbbb = 1, ["linger.ms"] = -1',
        consumer = "cccc = 1",
      }))
    end)

    it("and finds values that do not go together", function()
      assert.same({ "6: consumers.c.properties: `max.poll.interval.ms` must be >= "
        .. "`session.timeout.ms`" },
        problems({ consumer = '["max.poll.interval.ms"] = 9000, ["session.timeout.ms"] = 10000' }))
      assert.same({ "4: producers.p.properties: `acks` must be set to `all` when "
        .. "`enable.idempotence` is true" }, problems({ producer = "acks = 1" }))
      assert.same({}, problems({ producer = 'acks = 1, ["enable.idempotence"] = false' }))
    end)

    it("and tells once of a file that cannot be read", function()
      local lines = problems({
        cluster = '["security.protocol"] = "ssl", ["ssl.ca.location"] = "/nowhere/ca.pem"',
      })
      assert.equal(1, #lines)
      assert.matches("^2: cluster%.properties: .*ssl%.ca%.location", lines[1])
    end)

    it("and tells of a consumer's property on a producer, and of a producer's on a consumer",
      function()
        assert.same({ '4: producers.p.properties["max.partition.fetch.bytes"]: only consumers have '
          .. "it, it does nothing here" },
          problems({ producer = '["max.partition.fetch.bytes"] = 100000' }))
        assert.same({ '6: consumers.c.properties["linger.ms"]: only producers have it, it does '
          .. "nothing here" }, problems({ consumer = '["linger.ms"] = 5' }))
        assert.matches("only producers have it", problems({ consumer = "acks = 0" })[1])
        assert.same({}, problems({ cluster = '["linger.ms"] = 5, ["fetch.min.bytes"] = 10' }))
      end)

    it("and prints no secret", function()
      config_file.setenv("LAGOON_SPEC_SECRET", "hunter2")
      local lines = problems({ producer = '["linger.ms"] = secret("LAGOON_SPEC_SECRET")' })
      assert.equal(1, #lines)
      assert.is_nil(lines[1]:find("hunter2", 1, true))
    end)
  end)

  describe("logs", function()
    it("a trouble that several handles meet once", function()
      local text = logged(function()
        cluster.log_trouble("127.0.0.1:1", 3)
      end)
      assert.equal(1, count(text, "no broker answers at 127%.0%.0%.1:1: connection refused"))
      assert.is_nil(text:find("FAIL", 1, true))
    end)

    it("nothing of a fatal error, which it returns", function()
      local text = logged(function()
        local is_fatal, reason = cluster.log_fatal("sequence lost")
        assert.is_true(is_fatal)
        assert.matches("sequence lost", reason)
      end)
      assert.is_nil(text:find("sequence lost", 1, true))
    end)
  end)

  it("knows what can be a topic's name", function()
    for name, is_legal in pairs({
      orders = true, ["orders.2024_a-b"] = true, ["..."] = true, [("x"):rep(249)] = true,
      [""] = false, ["."] = false, [".."] = false, ["a b"] = false, ["a\0b"] = false,
      ["ä"] = false, [("x"):rep(250)] = false,
    }) do
      assert.equal(is_legal, cluster.is_topic_name(name), name)
    end
  end)

  describe("ensures topics", function()
    local mock

    setup(function()
      mock = cluster.mock()
    end)

    teardown(function()
      mock:close()
    end)

    it("and says why no broker answers, each time it is asked", function()
      local query = new_query("127.0.0.1:1", "orders = {}")
      -- Librdkafka tells the same failure only every thirty seconds.
      for _ = 1, 5 do
        local check, message = query:ensure(300)
        assert.equal("unreachable", check)
        assert.equal("no broker answers at 127.0.0.1:1: connection refused", message)
      end
      assert.is_false(query:is_embedded())
    end)

    it("that are there", function()
      mock:create("there", 2)
      local query = new_query(mock:brokers(), "there = { partitions = 2, replicas = 1 }")
      local check, message
      local text = logged(function()
        check, message = query:ensure(5000)
      end)
      assert.equal("ready", check, message)
      assert.equal("", text)
      assert.is_true(query:is_embedded())
    end)

    it("by creating what is missing, and says so", function()
      local query = new_query(mock:brokers(), "missing = {}, missing_2 = { partitions = 4 }")
      local text = logged(function()
        assert.equal("ready", (query:ensure(5000)))
        assert.equal("ready", (query:ensure(5000)))
      end)
      assert.equal(1, count(text, 'topic "missing" created by the embedded broker'))
      assert.equal(1, count(text, 'topic "missing_2" created by the embedded broker'))
    end)

    it("and tells once what differs, without changing it", function()
      mock:create("differs", 3)
      local query = new_query(mock:brokers(), "differs = { partitions = 10 }")
      local text = logged(function()
        assert.equal("ready", (query:ensure(5000)))
        assert.equal("ready", (query:ensure(5000)))
      end)
      assert.equal(1, count(text, 'topic "differs" has 3 partitions, declared are 10; it is left'))
    end)

    it("that others create by waiting, not by creating", function()
      local query = new_query(mock:brokers(), "awaited = { create = false }")
      local check, message = query:ensure(5000)
      assert.equal("unreachable", check)
      assert.matches('^topic "awaited" does not exist, and with `create = false`', message)
      mock:create("awaited", 1)
      assert.equal("ready", (query:ensure(5000)))
    end)

    it("and waits for one that has no leader yet", function()
      mock:create("leaderless", 2)
      mock:topic_error("leaderless", "leader")
      local query = new_query(mock:brokers(), "leaderless = {}")
      local check, message = query:ensure(300)
      assert.equal("unreachable", check)
      assert.equal('topic "leaderless" has no leader yet', message)
    end)

    it("and gives up on one that a broker refuses for good", function()
      mock:create("forbidden", 2)
      mock:topic_error("forbidden", "topic_right")
      local query = new_query(mock:brokers(), "forbidden = {}")
      local check, message = query:ensure(5000)
      assert.equal("refused", check)
      assert.equal('topic "forbidden" cannot be looked at: no right to do so', message)
    end)
  end)
end)

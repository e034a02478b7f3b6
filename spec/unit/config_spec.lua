local config = require("unit").config
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")

local good, good_but = config_file.good, config_file.good_but

-- The only consumer of the good config with this text in place of its group.
local function consumer(text)
  return good(good_but('group = "g",', text)).consumers[1]
end

local function cluster(text)
  return good(good_but('brokers = "localhost:9092"', text)).clusters[1]
end

local function producer(text)
  return good(good_but('topic = "orders" } }', 'topic = "orders", ' .. text .. "} }")).producers[1]
end

describe("config", function()
  it("fills in every default", function()
    local loaded = good(config_file.GOOD)
    assert.same({ name = "default", path = "cluster", brokers = "localhost:9092", properties = {},
      place = "config.lua:2" }, loaded.clusters[1])
    assert.same({ name = "orders", cluster = "default", partitions = 2, replicas = 0, create = true,
      settings = {}, place = "config.lua:3" }, loaded.topics[1])
    assert.same({ name = "p", cluster = "default", topic = "orders", key_missing = "uuid",
      type_header = "Message-Type", properties = {}, place = "config.lua:4" }, loaded.producers[1])
    assert.same({
      name = "c", cluster = "default", topics = { "orders" }, group = "g", enabled = true,
      offset_reset = "earliest", workers_min = 1, workers_max = config.cpu_count(),
      lag_threshold = 1000, buffer_size = 10, distribution = "key",
      handlers = { { type = "A", module = "handlers.a", place = "config.lua:9" } },
      type_header = "Message-Type", stall_after_ms = 60000, drain_timeout_ms = 5000,
      commit_interval_ms = 1000,
      window_records = 10000, window_bytes = 64 * 1024 * 1024, max_ahead = 200000,
      max_record_bytes = 1024 * 1024, properties = {}, place = "config.lua:6",
    }, loaded.consumers[1])
    assert.equal("info", loaded.log_level)
    assert.equal("auto", loaded.log_format)
    assert.equal(25000, loaded.stop_timeout_ms)
    assert.same({}, loaded.notices)
  end)

  it("takes every key", function()
    local loaded = good([[
return {
  cluster = { brokers = { "a:1", "[::1]:9092" }, properties = { ["socket.timeout.ms"] = 5 } },
  topics = {
    orders = { partitions = 3, replicas = 2, create = false, config = { ["retention.ms"] = 1 } },
  },
  producers = {
    p = { topic = "orders", key_field = "payment.id", key_missing = "error", type_header = false,
      properties = { ["linger.ms"] = 1 } },
  },
  consumers = {
    c = {
      topics = { "orders", "payments" }, group = "g", offset_reset = "latest", buffer_size = 3,
      enabled = false, instance_id = "i-1",
      workers = { min = 2, max = 4, lag_threshold = 7 }, distribution = "partition",
      handlers = { B = "b", A = "handlers.a" }, type_header = "type", drain_timeout = "2s",
      stall_after = "90s",
      commit_interval = "250ms", window = { records = 5, bytes = "2MiB" }, max_ahead = 9,
      max_record = "1KiB", properties = { ["fetch.wait.max.ms"] = 1 },
    },
  },
  log = { level = "debug", format = "json" },
  stop_timeout = "1m",
}
]])
    assert.same({ name = "default", path = "cluster", brokers = "a:1,[::1]:9092",
      properties = { "socket.timeout.ms=5" }, place = "config.lua:2" }, loaded.clusters[1])
    assert.same({ name = "orders", cluster = "default", partitions = 3, replicas = 2,
      create = false, settings = { "retention.ms=1" }, place = "config.lua:4" }, loaded.topics[1])
    assert.same({ name = "p", cluster = "default", topic = "orders", key_field = "payment.id",
      key_missing = "error", properties = { "linger.ms=1" },
      place = "config.lua:7" }, loaded.producers[1])
    assert.same({
      name = "c", cluster = "default", topics = { "orders", "payments" }, group = "g",
      enabled = false, instance_id = "i-1", offset_reset = "latest",
      workers_min = 2, workers_max = 4, lag_threshold = 7,
      buffer_size = 3, distribution = "partition",
      handlers = { { type = "A", module = "handlers.a", place = "config.lua:15" },
        { type = "B", module = "b", place = "config.lua:15" } },
      type_header = "type", stall_after_ms = 90000, drain_timeout_ms = 2000,
      commit_interval_ms = 250,
      window_records = 5, window_bytes = 2 * 1024 * 1024, max_ahead = 9, max_record_bytes = 1024,
      properties = { "fetch.wait.max.ms=1" }, place = "config.lua:11",
    }, loaded.consumers[1])
    assert.equal("debug", loaded.log_level)
    assert.equal("json", loaded.log_format)
    assert.equal(60000, loaded.stop_timeout_ms)
  end)

  it("keeps topics, producers, consumers and handlers in the order of the file", function()
    local loaded = good([[
return {
  cluster = { brokers = "a:1" },
  consumers = {
    z = { topic = "t", group = "z", handlers = {
      Z = "z",
      A = "a",
    } },
    m = { topic = "t", group = "m", handlers = { A = "a" } },
    a = { topic = "t", group = "a", handlers = { A = "a" } },
  },
}
]])
    local names = {}
    for i, each in ipairs(loaded.consumers) do
      names[i] = each.name
    end
    assert.same({ "z", "m", "a" }, names)
    assert.equal("Z", loaded.consumers[1].handlers[1].type)
  end)

  it("needs neither topics nor producers nor consumers", function()
    local loaded = good('return { cluster = { brokers = "a:1" } }')
    assert.same({ {}, {}, {} }, { loaded.topics, loaded.producers, loaded.consumers })
  end)

  it("reads durations with a unit, or as seconds", function()
    local durations = { ['"250ms"'] = 250, ['"30s"'] = 30000, ['"5m"'] = 300000, ['"1h"'] = 3600000,
      ["5"] = 5000, ["0.25"] = 250, ['"0s"'] = 0, ['"1.5s"'] = 1500 }
    for text, expected in pairs(durations) do
      local read = consumer('group = "g", drain_timeout = ' .. text .. ",")
      assert.equal(expected, read.drain_timeout_ms, text)
    end
  end)

  it("names what stands still for twice what a handler may take, or a minute", function()
    for text, expected in pairs({ [""] = 60000, ['handler_timeout = "10s",'] = 60000,
      ['handler_timeout = "10m",'] = 1200000, ["handler_timeout = false,"] = 60000,
      ['handler_timeout = "10m", stall_after = "5s",'] = 5000, ["stall_after = false,"] = 0 }) do
      assert.equal(expected, consumer('group = "g",' .. text).stall_after_ms, text)
    end
  end)

  it("reads sizes in bytes or with a unit", function()
    local sizes = { ["65536"] = 65536, ['"65536"'] = 65536, ['"64KiB"'] = 65536,
      ['"1.5MiB"'] = 1572864, ['"1GiB"'] = 1024 ^ 3, ["64 * 1024.0"] = 65536 }
    for text, expected in pairs(sizes) do
      local read = consumer(
        'group = "g", max_record = "1KiB", window = { bytes = ' .. text .. " },")
      assert.equal(expected, read.window_bytes, text)
    end
  end)

  it("reads brokers from one text or a list, without the blanks", function()
    assert.equal("a:1,b.c-d_e:65535", cluster('brokers = " a:1 , b.c-d_e:65535"').brokers)
    assert.equal("a:1,b:2", cluster('brokers = { "a:1", "b:2" }').brokers)
  end)

  it("turns properties into the text that librdkafka takes", function()
    assert.same({ "a=text", "b=true", "c=false", "d=5", "e=1", "f=-9223372036854775808", "g=" },
      cluster([[brokers = "a:1", properties = { a = "text", b = true, c = false, d = 5, e = 1.0,
        f = math.mininteger, g = "" }]]).properties)
  end)

  it("takes fractions for the settings of a topic", function()
    local loaded = good(good_but("partitions = 2",
      'config = { ["min.cleanable.dirty.ratio"] = 0.5, ["retention.ms"] = -1 }'))
    assert.same({ "min.cleanable.dirty.ratio=0.5", "retention.ms=-1" }, loaded.topics[1].settings)
  end)

  it("takes a key of the event at its top or inside", function()
    for _, path in ipairs({ "id", "payment.id", "a.b.c d" }) do
      assert.equal(path, producer(('key_field = "%s"'):format(path)).key_field)
    end
  end)

  it("takes names with any printable character", function()
    local loaded = good(good_but('p = { topic = "orders" }',
      '["a b\u{e9}"] = { topic = "orders" }'))
    assert.equal("a b\u{e9}", loaded.producers[1].name)
  end)

  it("finds topics, producers and consumers by name", function()
    local path = directory.write(directory.new() .. "/config.lua", config_file.GOOD)
    assert.same({ path .. ":3", nil, nil }, { config.places(path, "orders") })
    assert.same({ nil, path .. ":4", nil }, { config.places(path, "p") })
    assert.same({ nil, nil, path .. ":6" }, { config.places(path, "c") })
    assert.same({}, { config.places(path, "x") })
  end)

  it("finds a property by its whole name", function()
    local path = directory.write(directory.new() .. "/config.lua",
      good_but('"localhost:9092"', '"a:1", properties = { ["linger.ms"] = 5 }'))
    assert.equal("5", config.property(path, "linger.ms"))
    assert.is_nil(config.property(path, "linger"))
  end)

  it("knows its path as given and the folder of the file", function()
    local path = directory.write(directory.new() .. "/lagoon.lua", config_file.GOOD)
    local loaded = assert(config.load(path))
    assert.equal(path, loaded.path)
    assert.equal(path:match("^(.*)/"), loaded.directory)
    assert.equal(".", assert(config.load("config.lua")).directory)
  end)
end)

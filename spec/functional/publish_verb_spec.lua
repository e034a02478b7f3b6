-- `lagoon publish`: a JSON event a line from standard input.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local port = require("spec.support.port")
local wait = require("spec.support.wait")
local uv = require("luv")

describe("lagoon publish", function()
  local broker, topic

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("published", 1)
  end)

  local function new(properties, address)
    return application.new(address or broker.brokers, { producers = { out = { topic = topic,
      key_field = "id", properties = properties } } })
  end

  ---@return spec.Process
  local function publish(lines, ...)
    return new():run({ "publish", "out", "Sent", ... },
      { input = table.concat(lines, "\n") }).process
  end

  it("sends each line as it stands, with type and key, and says how many and how fast", function()
    local lines = { '{ "id":"a",  "n":9007199254740993 }', '{"id":7,"text":"\\u00fc ü"}', "[1,2]" }
    local process = publish(lines)
    assert.equal(0, process.code)
    assert.matches("^published 3 events in %d+%.%d s %(%d+ a second%)\n$", process:stdout())
    local records = broker:consume(topic)
    assert.equal(3, #records)
    for i, line in ipairs(lines) do
      assert.equal(line, records[i].value)
      assert.same({ { "Message-Type", "Sent" } }, records[i].headers)
    end
    assert.same({ "a", "7", 36 }, { records[1].key, records[2].key, #records[3].key })
  end)

  it("takes a key and headers for all of them", function()
    local process = publish({ '{"id":"a"}', '{"id":"b"}', "" }, "--key", "k", "--header",
      "trace=a=b", "--header=trace=", "--header", "x= y")
    assert.equal(0, process.code)
    for _, record in ipairs(broker:consume(topic)) do
      assert.equal("k", record.key)
      assert.same({ { "Message-Type", "Sent" }, { "trace", "a=b" }, { "trace", "" },
        { "x", " y" } }, record.headers)
    end
    assert.equal(2, broker:end_offsets(topic, 1)[0])
  end)

  it("names each bad line by its number, publishes the good ones and is unfinished", function()
    local process = publish({ '{"id":"a"}', '{"id":', "", '{"id":"b"}', '{"id":{}}', "nonsense",
      '{"id":"c","text":"' .. ("x"):rep(1200000) .. '"}', '{"id":"d"}' })
    assert.equal(5, process.code)
    local keys = {}
    for i, record in ipairs(broker:consume(topic)) do
      keys[i] = record.key
    end
    assert.same({ "a", "b", "d" }, keys)
    assert.matches("^published 3 events in ", process:stdout())
    local expected = {
      "line 2: json.decode: byte 6: ",
      "line 5: publish: the event's 'id' is its key and must be a string or an integer, got table",
      "line 6: json.decode: byte 1: ",
      'line 7: publish: a record of 1200021 bytes for topic "',
      "lagoon publish: 4 of 8 lines could not be published",
    }
    local said = {}
    for line in process:stderr():gmatch("[^\n]+") do
      if line:sub(1, 1) ~= "{" then
        table.insert(said, (line:sub(1, #(expected[#said + 1] or ""))))
      end
    end
    assert.same(expected, said)
  end)

  it("ends only when Kafka has acknowledged all", function()
    local lines = {}
    for i = 1, 1000 do
      lines[i] = ('{"id":"key-%d"}'):format(i)
    end
    local process = new({ ["linger.ms"] = 300 }):run({ "publish", "out", "Sent" },
      { input = table.concat(lines, "\n") }).process
    assert.equal(0, process.code)
    assert.matches("^published 1000 events in ", process:stdout())
    assert.equal(1000, broker:end_offsets(topic, 1)[0])
  end)

  it("is cut off by a signal and says by its exit that it is unfinished", function()
    local run = new():start({ "publish", "out", "Sent" }, { input = true })
    run.process:write('{"id":"a"}\n{"id":"b"}\n')
    assert.equal(2, #broker:consume(topic, { count = 2 }))
    run.process:signal("sigterm")
    assert.equal(5, (run.process:wait_exit()))
  end)

  it("refuses an event that cannot have the key field, and publishes the others", function()
    local process = publish({ "null", '"text"', '{"id":"a"}', "7" })
    assert.equal(5, process.code)
    for number, kind in pairs({ [1] = "null", [2] = "string", [4] = "number" }) do
      assert.matches(("line %d: publish: the event is a %s and has no 'id', which is the key of " ..
        "producer 'out'; give a key\n"):format(number, kind), process:stderr(), 1, true)
    end
    assert.equal(1, #broker:consume(topic))
  end)

  it("gives up in time also when --timeout ends within a look at the brokers", function()
    local began = uv.hrtime()
    local run = new(nil, "127.0.0.1:" .. port.free()):run({ "publish", "out", "Sent", "--timeout",
      "2s" }, { input = "{}" })
    assert.equal(4, run.process.code)
    local took_ms = (uv.hrtime() - began) / 1000000
    assert.is_true(took_ms > 1900 and took_ms < 4000 * wait.patience, took_ms .. " ms")
  end)

  it("gives up when no broker answers within --timeout", function()
    local address = "127.0.0.1:" .. port.free()
    local began = uv.hrtime()
    local run = new(nil, address):run({ "publish", "out", "Sent", "--timeout", "1s" },
      { input = "{}\n" })
    local took_ms = (uv.hrtime() - began) / 1000000
    assert.equal(4, run.process.code)
    local line = run:log(nil, { level = "error" })[1]
    assert.equal(("Kafka at %s did not answer within 1000 ms: no broker answers at %s: " ..
      "connection refused"):format(address, address), line.message)
    assert.equal("", run.process:stdout())
    assert.is_true(took_ms >= 1000 and took_ms < 3000 * wait.patience, took_ms .. " ms")
  end)
end)

-- `lagoon publish PRODUCER` without a type: a record a line.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

describe("lagoon publish without a type", function()
  local broker, topic, app

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("records", 1)
    app = application.new(broker.brokers, { producers = { out = { topic = topic,
      key_field = "id" } } })
  end)

  ---@return spec.Process
  local function publish(lines, ...)
    return app:run({ "publish", "out", ... }, { input = table.concat(lines, "\n") }).process
  end

  it("takes type, key, headers and place from each line, and the value as it stands", function()
    local value = '{ "id":9007199254740993,  "b":[1.0,{}], "a":"}\\"\\u00fc" }'
    local process = publish({
      '{"type":"A","key":"k","headers":{"z":"1","a":"2","n":null},"value":' .. value .. "}",
      '  {"value" : "text" , "type":"B","key":null,"headers":[["x","1"],["x",2]]}',
      '{"\\u0076alue":1,"type":"C","key":7,"value":[ 1, 2 ],"timestamp":1700000000123}',
      '{"type":"D","key":"gone","value":null,"headers":null}',
      '{"type":"E","value":{"id":"from-field"},"partition":0,"topic":null}',
    })
    assert.equal(0, process.code, process:stderr())
    local records = broker:consume(topic)
    local function headers(kind, ...)
      return { { "Message-Type", kind }, ... }
    end
    assert.same({ value, '"text"', "[ 1, 2 ]", nil, '{"id":"from-field"}' }, { records[1].value,
      records[2].value, records[3].value, records[4].value, records[5].value })
    assert.same({ "k", nil, "7", "gone", "from-field" }, { records[1].key, records[2].key,
      records[3].key, records[4].key, records[5].key })
    assert.same(headers("A", { "a", "2" }, { "n" }, { "z", "1" }), records[1].headers)
    assert.same(headers("B", { "x", "1" }, { "x", "2" }), records[2].headers)
    assert.equal(1700000000123, records[3].timestamp)
    assert.matches("^published 5 events in ", process:stdout())
  end)

  it("takes --key where a line has none, and puts --header behind the line's", function()
    local process = publish({ '{"type":"A","value":1,"headers":{"own":"1"}}',
      '{"type":"A","value":null}', '{"type":"A","value":2,"key":"own"}' }, "--key", "shared",
      "--header", "all=x")
    assert.equal(0, process.code, process:stderr())
    local records = broker:consume(topic)
    assert.same({ "shared", "shared", "own" }, { records[1].key, records[2].key, records[3].key })
    assert.same({ { "Message-Type", "A" }, { "own", "1" }, { "all", "x" } }, records[1].headers)
    assert.same({ { "Message-Type", "A" }, { "all", "x" } }, records[2].headers)
  end)

  it("names each bad line by its number and what is wrong, and publishes the others", function()
    local bad = {
      { '{"type":"A","value":', "json.decode: byte 20: " },
      { "[]", 'it has no "type"\n' },
      { '[{"type":"A","value":1}]', 'a record is an object: {"type": ..., "value": ...}\n' },
      { "7", 'a record is an object: {"type": ..., "value": ...}\n' },
      { '{"value":1}', 'it has no "type"\n' },
      { '{"type":"","value":1}', '"type" must be text, not empty\n' },
      { '{"type":{},"value":1}', '"type" must be text, not empty\n' },
      { '{"type":"A"}', 'it has no "value"; null is a tombstone\n' },
      { '{"type":"A","value":null}', 'a null value is a tombstone and needs a "key"\n' },
      { '{"type":"A","value":1,"keys":"k"}', 'unknown field "keys": there are type, value, key, ' ..
        "headers, topic, partition, timestamp\n" },
      { '{"type":"A","value":1,"key":{}}',
        "publish: key must be a string or an integer, got table\n" },
      { '{"type":"A","value":{"id":1},"headers":"x"}',
        '"headers" must be {name: value} or [[name, value], ...], not a string\n' },
      { '{"type":"A","value":{"id":1},"headers":["x"]}',
        "publish: headers[1] must be {name, value}\n" },
      { '{"type":"A","value":{"id":1},"headers":{"x":true}}',
        "publish: header 'x' must be a string or an integer, got boolean\n" },
      { '{"type":"A","value":{"id":1},"partition":-1}',
        "publish: partition must be an integer, not negative, got -1\n" },
      { '{"type":"A","value":{"id":1},"topic":"a b"}',
        'publish: "a b" cannot be a topic\'s name\n' },
    }
    local lines = { '{"type":"A","key":"first","value":1}' }
    for i, case in ipairs(bad) do
      lines[i + 1] = case[1]
    end
    table.insert(lines, '{"type":"A","key":"last","value":1}')
    local process = publish(lines)
    assert.equal(5, process.code)
    for i, case in ipairs(bad) do
      assert.matches(("line %d: %s"):format(i + 1, case[2]), process:stderr(), 1, true)
    end
    assert.matches(("lagoon publish: %d of %d lines could not be published\n"):format(#bad,
      #lines), process:stderr(), 1, true)
    local records = broker:consume(topic)
    assert.same({ "first", "last", 2 }, { records[1].key, records[2].key, #records })
  end)
end)

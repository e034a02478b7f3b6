local config_file = require("spec.support.config_file")

local good_but, problems = config_file.good_but, config_file.problems

-- The group stands on line 8 of the good config, the producer on line 4.
local function consumer(text)
  return good_but('group = "g",', 'group = "g", ' .. text .. ",")
end

local function producer(text)
  return good_but('p = { topic = "orders" }', 'p = { topic = "orders", ' .. text .. " }")
end

local function assert_refused(with, place, cases)
  for _, case in ipairs(cases) do
    assert.same({ place .. case[2] }, problems(with(case[1])))
  end
end

local MODULE = 'must be the name of a module such as "handlers.order_created"'
local CODEC = 'must be "json", "raw" or "cjson", or the name of a module'

describe("what a config says of scripts", function()
  it("is refused for a consumer when it is none of what it may be", function()
    assert_refused(consumer, "config.lua:8: consumers.c.", {
      { "handler = true", "handler: " .. MODULE .. ", got true" },
      { 'handler = "handlers/any.lua"', "handler: " .. MODULE ..
        ", got \"handlers/any.lua\", did you mean 'handlers.any'?" },
      { 'handler = "scripts/a.lua:paid"', "handler: " .. MODULE ..
        ", got \"scripts/a.lua:paid\", did you mean 'a:paid'?" },
      { 'handler = "a:b:c"', "handler: " .. MODULE .. ', got "a:b:c"' },
      { 'handler = "a:"', "handler: " .. MODULE .. ', got "a:"' },
      { "type_field = true", 'type_field: must be a path in the event such as "payment.id", or ' ..
        "false for none, got true" },
      { 'type_field = "a..b"', 'type_field: must be a path in the event such as "payment.id", ' ..
        'or false for none, got "a..b"' },
      { 'nulls = "null"', 'nulls: must be "drop" or "keep", got "null"' },
      { 'codec = "jsn"', "codec: " .. CODEC .. ", got \"jsn\", did you mean 'json'?" },
      { 'codec = "JSON"', "codec: " .. CODEC .. ", got \"JSON\", did you mean 'json'?" },
      { "codec = false", "codec: " .. CODEC .. ", got false" },
      { 'codec = "codecs/avro.lua"', "codec: " .. CODEC ..
        ", got \"codecs/avro.lua\", did you mean 'codecs.avro'?" },
      { 'middlewares = "a"', 'middlewares: must be a list, got "a"' },
      { "middlewares = { a = 1 }", "middlewares: must be a list, got a table" },
      { 'middlewares = { "a", 2 }', "middlewares[2]: " .. MODULE .. ", got 2" },
      { 'codec = "cjson", nulls = "keep"', 'nulls: has an effect only with codec = "json"' },
      { 'codec = "raw", type_field = "kind"',
        'type_field: has no effect with codec = "raw", whose events have no fields' },
    })
  end)

  it("is refused for a producer when it is none of what it may be", function()
    assert_refused(producer, "config.lua:4: producers.p.", {
      { "headers = { a = {} }", "headers.a: must be text or an integer, got a table" },
      { 'headers = { "a" }', 'headers[1]: must have a name, such as source = "shop"' },
      { 'headers = { ["Message-Type"] = "A" }',
        "headers.Message-Type: is the header that carries the type" },
      { 'codec = "rw"', "codec: " .. CODEC .. ", got \"rw\", did you mean 'raw'?" },
      { "middlewares = { false }", "middlewares[1]: " .. MODULE .. ", got false" },
      { 'codec = "raw", key_field = "id"', 'key_field: has no effect with codec = "raw", whose ' ..
        "events have no fields; give publish a key" },
    })
  end)

  it("is taken in all its forms", function()
    for _, text in ipairs({ 'handler = "a.b:c_1"', "type_field = false", 'type_field = "a.b"',
      'nulls = "keep"', 'codec = "json", nulls = "keep"', 'codec = "codecs.avro"',
      'codec = "codecs:avro"', "middlewares = {}", 'middlewares = { "a", "b.c:d" }' }) do
      config_file.good(consumer(text))
    end
    for _, text in ipairs({ "headers = {}", 'headers = { source = "shop", version = 2 }',
      'codec = "raw"', 'codec = "avro"', 'middlewares = { "trace" }' }) do
      config_file.good(producer(text))
    end
    config_file.good(good_but('handlers = { A = "handlers.a" }', 'handler = "handlers.a"'))
  end)
end)

-- What a config puts around publish calls: constant headers, codecs, middlewares.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

-- Each example publishes by another producer; its handler is named like the example.
local EXAMPLES = [[
local journal = require("journal")
local lagoon = require("lagoon")

local function by(name)
  local producer = lagoon.producer(name)
  return function(...) return producer:publish(...) end
end
local raw, cjson, module, plain, around = by("raw"), by("cjson"), by("module"), by("plain"),
  by("around")

local M = {
  raw = function() return raw("Sent", "any\0bytes\xff") end,
  ["raw table"] = function() return raw("Sent", { "a" }) end,
  ["raw tombstone"] = function() return raw("Sent", nil, { key = "k" }) end,
  cjson = function() return cjson("Sent", { 1, lagoon.null }) end,
  ["cjson function"] = function() return cjson("Sent", { print }) end,
  module = function() return module("Sent", { n = 1 }, { topic = "@OUT@" }) end,
  ["module refuses"] = function() return module("Sent", { bad = true }) end,
  ["module returns nothing"] = function() return module("Sent", { none = true }) end,
  headers = function() return plain("Sent", {}) end,
  ["headers of the call"] = function()
    return plain("Sent", {}, { headers = { { "source", "call" }, { "source", "again" } } })
  end,
  around = function() return around("Sent", { id = 7 }, { headers = { { "a", "1" } } }) end,
  ["around with a key"] = function() return around("Sent", { id = 7 }, { key = "own" }) end,
  ["around twice"] = function() return around("Twice", { id = 8 }) end,
  ["around away"] = function() return around("Away", { id = 9 }) end,
  ["around to itself"] = function()
    local options = { key = "k", headers = { a = "1" } }
    around("Sent", {}, options):await()
    return options.type == nil and options.headers.trail == nil and around("Sent", {}, options)
  end,
  ["around wrong"] = function() return around("Wrong", {}) end,
  ["around without a context"] = function() return around("Lost", {}) end,
}

return function(event)
  local ok, partition, offset = pcall(function()
    local delivery = M[event.example]()
    if delivery == nil then return "nothing" end
    return delivery:await()
  end)
  journal.note({ example = event.example, failure = not ok and partition or nil,
    partition = ok and partition or nil, offset = offset })
end
]]

local CODEC = [[
return { encode = function(event, context)
  if event.bad then return nil, "a bad event" end
  if event.none then return nil end
  return ("%s/%s/%d"):format(context.type, context.topic, event.n)
end }
]]

local OUTER = [[
return function(event, context, next)
  if context.type == "Away" then return end
  if context.type == "Twice" then next(event, context) end
  if context.type == "Wrong" then context.kye = "k" end
  context.headers.trail = (context.key or "none") .. " " .. context.topic
  local delivery = next(event, context)
  delivery:await()
  return delivery
end
]]

local INNER = [[
return function(event, context, next)
  if context.type == "Lost" then return next(event, "no context") end
  context.type = context.type .. "Inner"
  context.headers.trail = (context.headers.trail or "") .. " inner"
  event.seen = true
  next(event, context)
end
]]

-- Around the handler, which waits itself.
local WAITING = [[
local journal = require("journal")
local lagoon = require("lagoon")
return function(event, context, next)
  lagoon.sleep("1ms")
  local result, reason = next(event, context)
  lagoon.sleep("1ms")
  journal.note({ around = event.example, attempt = context.attempt })
  return result, reason
end
]]

describe("around a publish", function()
  local broker, app, lagoon, commands, out

  setup(function()
    broker = brokers.start()
    commands = broker:new_topic("commands", 1)
    out = broker:new_topic("out", 1)
    app = application.new(broker.brokers, {
      producers = {
        raw = { topic = out, codec = "raw" },
        cjson = { topic = out, codec = "cjson" },
        module = { topic = out, codec = "codec" },
        plain = { topic = out, headers = { source = "config", version = 2 } },
        around = { topic = out, key_field = "id", middlewares = { "outer", "inner" } },
      },
      consumers = {
        commands = { topic = commands, group = brokers.unique("commands"),
          handlers = { Example = "handlers.example" }, middlewares = { "waiting" } },
      },
    }, { ["handlers/example"] = EXAMPLES:gsub("@OUT@", out), codec = CODEC, outer = OUTER,
      inner = INNER, waiting = WAITING })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("commands")
  end)

  local function try(example)
    broker:produce(commands, { { key = "k", value = ('{"example":"%s"}'):format(example) } },
      { headers = { { "Message-Type", "Example" } } })
    return app:wait_journal(1, { example = example })[1]
  end

  local function published(example)
    local told = try(example)
    assert.is_nil(told.failure)
    return broker:consume(out, { partition = told.partition, from = told.offset, count = 1 })[1]
  end

  local function failure(example)
    return (try(example).failure or "nothing"):gsub("^scripts/[%w/]+%.lua:%d+: ", "")
  end

  it("codecs write values", function()
    assert.equal("any\0bytes\xff", published("raw").value)
    assert.is_nil(published("raw tombstone").value)
    assert.equal("[1,null]", published("cjson").value)
    assert.equal("Sent/" .. out .. "/1", published("module").value)
  end)

  it("codecs refuse what they cannot write", function()
    assert.equal("publish: producer 'raw' has the codec raw: the event must be a string, got table",
      failure("raw table"))
    assert.matches("^Cannot serialise function: type not supported", failure("cjson function"))
    assert.equal("publish: the codec cannot encode the event: a bad event",
      failure("module refuses"))
    assert.equal("publish: the codec of producer 'module' must return a string, it returns nil",
      failure("module returns nothing"))
  end)

  it("the config's headers go with every record, unless the call sets them", function()
    assert.same({ { "Message-Type", "Sent" }, { "source", "config" }, { "version", "2" } },
      published("headers").headers)
    assert.same({ { "Message-Type", "Sent" }, { "source", "call" }, { "source", "again" },
      { "version", "2" } }, published("headers of the call").headers)
  end)

  it("middlewares change the record, the outermost first", function()
    local record = published("around")
    assert.same({ "7", { id = 7, seen = true } }, { record.key, json.decode(record.value) })
    assert.same({ { "Message-Type", "SentInner" }, { "a", "1" },
      { "trail", "7 " .. out .. " inner" } }, record.headers)
    assert.equal("own", published("around with a key").key)
  end)

  it("a consumer's middleware waits before and behind a handler that waits", function()
    published("headers")
    assert.equal(1, app:wait_journal(1, { around = "headers" })[1].attempt)
  end)

  it("middlewares may publish twice, or not at all", function()
    local before = broker:end_offsets(out, 1)[0]
    published("around twice")
    assert.equal(before + 2, broker:end_offsets(out, 1)[0])
    assert.equal("nothing", try("around away").partition)
    assert.equal(before + 2, broker:end_offsets(out, 1)[0])
  end)

  it("middlewares change nothing of the caller's options", function()
    assert.is_nil(try("around to itself").failure)
  end)

  it("middlewares are told what they do wrong", function()
    assert.equal("publish: a middleware set context.kye: there are type, key, headers, topic, " ..
      "partition, timestamp", failure("around wrong"))
    assert.equal("publish: a middleware must give next the context that it got, not a string",
      failure("around without a context"))
  end)
end)

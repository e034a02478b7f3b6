-- What cannot be published is refused where it is asked for.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local REFUSALS = [[
local journal = require("journal")
local lagoon = require("lagoon")

local producer = lagoon.producer("out")
local strict = lagoon.producer("strict")

local function publish(event, options)
  return function() return producer:publish("Sent", event, options) end
end

local attempts = {
  ["unknown option"] = publish({}, { kye = "k" }),
  ["boolean key"] = publish({}, { key = true }),
  ["table key field"] = publish({ order = { id = {} } }),
  ["missing key"] = function() return strict:publish("Sent", {}) end,
  ["tombstone without key"] = publish(nil),
  ["boolean header"] = publish({}, { headers = { trace = true } }),
  ["headers no table"] = publish({}, { headers = "trace" }),
  ["header no pair"] = publish({}, { headers = { "trace" } }),
  ["options no table"] = publish({}, "k"),
  ["negative partition"] = publish({}, { key = "k", partition = -1 }),
  ["fractional timestamp"] = publish({}, { key = "k", timestamp = 1.5 }),
  ["no topic"] = publish({}, { key = "k", topic = "not a topic" }),
  ["too large"] = publish({ text = ("x"):rep(1200000) }, { key = "k" }),
  ["no JSON"] = publish({ list = { { f = print } } }, { key = "k" }),
  ["no type"] = function() return producer:publish({}) end,
  ["empty type"] = function() return producer:publish("", {}) end,
}

return function(event)
  for name, attempt in pairs(attempts) do
    local ok, message = pcall(attempt)
    journal.note({ refusal = name, message = ok and "it was published" or message })
  end
end
]]

-- Its producer is used for the first time, so that the partitions are not known yet at the call.
local AWAITS = [[
local producer = require("lagoon").producer("fresh")

return function()
  producer:publish("Sent", {}, { key = "k", partition = 99 }):await()
end
]]

local NOTES = [[
local journal = require("journal")

return function(_, context)
  journal.record(context)
end
]]

describe("publish", function()
  local broker, app, lagoon, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("refusals", 2)
    app = application.new(broker.brokers, {
      producers = {
        out = { topic = topic, key_field = "order.id" },
        strict = { topic = topic, key_field = "order.id", key_missing = "error" },
        fresh = { topic = topic },
      },
      consumers = {
        c = { topic = topic, group = topic, workers = 1, on_error = "stop", handlers = {
          Refusals = "handlers.refusals", Awaits = "handlers.awaits", Notes = "handlers.notes",
        } },
      },
    }, {
      ["handlers/refusals"] = REFUSALS,
      ["handlers/awaits"] = AWAITS,
      ["handlers/notes"] = NOTES,
    })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  local function produce(partition, type)
    broker:produce(topic, { { key = "k", value = "{}" } },
      { partition = partition, headers = { { "Message-Type", type } } })
  end

  it("refuses what cannot be published at the call, with the line and what is wrong", function()
    local expected = {
      ["unknown option"] = "unknown option 'kye': there are key, headers, topic, partition, " ..
        "timestamp",
      ["boolean key"] = "key must be a string or an integer, got boolean",
      ["table key field"] = "the event's 'order.id' is its key and must be a string or an " ..
        "integer, got table",
      ["missing key"] = "the event has no 'order.id', which is the key of producer 'strict'",
      ["tombstone without key"] = "a nil event is a tombstone and needs a key: " ..
        "publish(type, nil, {key = ...})",
      ["boolean header"] = "header 'trace' must be a string or an integer, got boolean",
      ["headers no table"] = "headers must be a table, got string",
      ["header no pair"] = "headers[1] must be {name, value}",
      ["options no table"] = "options must be a table, got string",
      ["negative partition"] = "partition must be an integer, not negative, got -1",
      ["fractional timestamp"] = "timestamp must be an integer, not negative, got 1.5",
      ["no topic"] = '"not a topic" cannot be a topic\'s name',
      ["too large"] = ('a record of 1200012 bytes for topic "%s" is too large; ' ..
        "message.max.bytes in the producer's properties sets the limit"):format(topic),
      ["no JSON"] = "the event cannot be written as JSON: list[1].f: a function has no JSON " ..
        "form",
      ["no type"] = "the type must be a string, got table: producer:publish(type, event)",
      ["empty type"] = "the type must not be empty",
    }
    produce(0, "Refusals")
    local told = app:wait_journal(16)
    for _, entry in ipairs(told) do
      local message = entry.message:gsub("^scripts/handlers/refusals.lua:%d+: ", "")
      assert.equal("publish: " .. expected[entry.refusal], message)
    end
    assert.equal(16, #told)
    assert.same({ [0] = 1, [1] = 0 }, broker:end_offsets(topic, 2))
  end)

  it("fails a handler once that awaits what Kafka refuses", function()
    produce(0, "Awaits")
    lagoon:wait_log("^consumer c: a record failed")
    -- When this one is committed, main has heard of the end of the other.
    produce(1, "Notes")
    wait.till("the commit of what came later", 10000, function()
      return broker:committed(topic, topic, 2)[1] == 1
    end)
    assert.equal(0, lagoon:stop())
    local lines = lagoon:log("^consumer c: a record failed")
    assert.equal(1, #lines)
    assert.matches(('refused: topic "%s" has no partition 99'):format(topic), lines[1].reason, 1,
      true)
    assert.equal(1, lagoon:wait_log("^consumer c: stopped").failed)
  end)

  it("is refused at the top of a file, and for a producer that is not declared", function()
    local function check(source)
      local config = { producers = { out = { topic = topic } }, consumers = {
        c = { topic = topic, group = "g", handlers = { A = "handlers.a" } } } }
      local checked = application.new(broker.brokers, config, { ["handlers/a"] = source })
      local process = checked:run({ "check" }).process
      assert.equal(3, process.code)
      return process:stderr()
    end
    assert.matches("scripts/handlers/a.lua:1: publish: not at the top of a file, only in a handler",
      check("require('lagoon').producer('out'):publish('Sent', {}) return print"), 1, true)
    assert.matches("scripts/handlers/a.lua:2: lagoon.producer: no producer 'uot' is declared in " ..
      "config.lua, did you mean 'out'?",
      check("local lagoon = require('lagoon')\nlagoon.producer('uot') return print"),
      1, true)
  end)
end)

-- A record that is given up ends in the dead-letter topic as it was, and only then is committed.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local unit = require("unit")
local wait = require("spec.support.wait")

local HANDLER = [[
local journal = require("journal")
local lagoon = require("lagoon")

-- Used once each, so that the partitions are not known yet at the call.
local first, second = lagoon.producer("first"), lagoon.producer("second")
local M = {}

function M.always() error("no stock") end
function M.asks() lagoon.dead_letter("as asked") end
function M.refused() first:publish("Sent", {}, { key = "k", partition = 99 }) end
function M.awaited() second:publish("Sent", {}, { key = "k", partition = 99 }):await() end

return function(event, context)
  journal.record(context, { n = event and event.n, attempt = context.attempt })
  if not event or event.how then
    return M[event and event.how or "always"]()
  end
end
]]

local OWN = "lagoon%-dead%-letter%-"

describe("a dead letter", function()
  local broker, app, topic, group, letters

  local function consumer(fields)
    fields.workers, fields.commit_interval = 1, "50ms"
    fields.on_error = fields.on_error or { retries = 1, backoff = "5ms" }
    fields.handlers = { Event = "handlers.work" }
    return fields
  end

  local function start(fields)
    app = application.new(broker.brokers, {
      producers = { first = { topic = topic }, second = { topic = topic } },
      consumers = { c = consumer(fields) },
    }, { ["handlers/work"] = HANDLER })
    local lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
    return lagoon
  end

  local function produce(partition, records, headers)
    broker:produce(topic, records,
      { partition = partition, headers = headers or { { "Message-Type", "Event" } } })
  end

  local function wait_committed(partition, offset)
    wait.till(("the commit of %d"):format(offset), 15000, function()
      return broker:committed(group, topic, 10)[partition] == offset
    end)
  end

  ---So many letters, when they are there; the topic comes with the first.
  local function consume(name, count)
    wait.till("the topic of the dead letters", 20000, function()
      return (unit.kafka.partitions(broker.brokers, name) or 0) > 0
    end)
    return broker:consume(name, { count = count })
  end

  ---The record's own headers, and what ours say.
  local function split(letter)
    local own, ours = {}, {}
    for _, header in ipairs(letter.headers) do
      local name = header[1]:match("^" .. OWN .. "(.*)$")
      if name then
        ours[name] = header[2]
      else
        table.insert(own, header)
      end
    end
    return own, ours
  end

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("letters", 10)
    group = brokers.unique("group")
    letters = ("%s.%s.dead-letter"):format(topic, group)
  end)

  it("is the record byte for byte, and says where it stood and why it is here", function()
    local lagoon = start({ topic = topic, group = group })
    local headers = { { "Message-Type", "Event" }, { "twice", "1" }, { "null" }, { "twice", "" } }
    produce(3, { { key = "k\1", value = '{"how":"always","n":1}' },
      { key = "k\1", value = '{"n":2}' } }, headers)
    local letter = consume(letters, 1)[1]
    local own, ours = split(letter)
    assert.same({ "k\1", '{"how":"always","n":1}' }, { letter.key, letter.value })
    assert.same(headers, own)
    assert.same({ topic, "3", "0", group, "c", "2" }, { ours.topic, ours.partition, ours.offset,
      ours.group, ours.consumer, ours.attempts })
    assert.matches("^scripts/handlers/work.lua:8: no stock\nstack traceback:", ours.error)
    assert(math.abs(tonumber(ours.timestamp) - letter.timestamp) < 60000)
    wait_committed(3, 2)
    local seen = {}
    for i, entry in ipairs(app:journal()) do
      seen[i] = ("%d/%d"):format(entry.n, entry.attempt)
    end
    assert.same({ "1/1", "1/2", "2/1" }, seen)
    local line = lagoon:wait_log("^consumer c: a record is given up and goes to the dead letters$")
    assert.same({ "error", topic, 3, 0, "k\1", 2 },
      { line.level, line.topic, line.partition, line.offset, line.key, line.attempt })
    assert.equal(0, lagoon:stop())
    local counts = lagoon:wait_log("^consumer c: stopped")
    assert.same({ 1, 1, 1, 0, 0 },
      { counts.handled, counts.retried, counts.dead_letters, counts.failed, counts.given_back })
  end)

  it("comes at once of what cannot get better, of what asks for it, and of what Kafka refuses",
    function()
      local lagoon = start({ topic = topic, group = group, max_record = "1KiB",
        on_unknown_type = "dead_letter" })
      produce(0, { { key = "bad", value = '{"n":' } })
      produce(1, { { key = "large", value = ('"%s"'):format(("x"):rep(2000)) } })
      produce(2, { { key = "typeless", value = "{}" } }, {})
      produce(4, { { key = "strange", value = "{}" } }, { { "Message-Type", "Strange" } })
      produce(5, { { key = "asks", value = '{"how":"asks"}' } })
      produce(6, { { key = "refused", value = '{"how":"refused"}' } })
      produce(7, { { key = "awaited", value = '{"how":"awaited"}' } })
      local refused = ('a record that its handler published was refused: topic "%s" has no ' ..
        "partition 99"):format(topic)
      local reasons = {
        bad = "the value is not JSON: byte 5: ", large = "the value has 2002 bytes, max_record is",
        typeless = "the record has no type: ", strange = "no handler for type 'Strange'",
        asks = "as asked",
        refused = refused, awaited = refused,
      }
      for _, letter in ipairs(consume(letters, 7)) do
        local _, ours = split(letter)
        local reason = assert(reasons[letter.key], letter.key)
        assert.equal(reason, ours.error:sub(1, #reason))
        assert.equal("1", ours.attempts)
        reasons[letter.key] = nil
      end
      assert.same({}, reasons)
      wait_committed(6, 1)
      wait_committed(7, 1)
      assert.equal(0, lagoon:stop())
      assert.equal(7, lagoon:wait_log("^consumer c: stopped").dead_letters)
    end)

  it("of a tombstone has no value, and of a null key no key", function()
    start({ topic = topic, group = group })
    produce(0, { { key = "k" }, { value = '{"how":"asks"}' } })
    local found = consume(letters, 2)
    table.sort(found, function(a, b) return a.key == nil and b.key ~= nil end)
    assert.same({ '{"how":"asks"}', "k" }, { found[1].value, found[2].key })
    assert.same({}, { found[1].key, found[2].value })
  end)

  it("may go to a topic of another name", function()
    start({ topic = topic, group = group, dead_letter = group })
    produce(0, { { key = "k", value = '{"how":"asks"}' } })
    assert.equal("k", consume(group, 1)[1].key)
  end)

  it("is refused when its topic can have no such name: the partition stops, loudly", function()
    group = group .. ("g"):rep(230 - #group)
    local lagoon = start({ topic = "^" .. topic .. "$", group = group })
    produce(0, { { key = "k", value = '{"how":"asks","n":1}' }, { key = "k", value = '{"n":2}' } })
    local line = lagoon:wait_log("^consumer c: a record failed; its partition is stopped")
    assert.same({ 0, 0, "k" }, { line.partition, line.offset, line.key })
    assert.matches("^its dead letter was refused: .* cannot be a topic's name", line.reason)
    produce(1, { { key = "k", value = '{"n":3}' } })
    app:wait_journal(1, { n = 3 })
    wait_committed(1, 1)
    assert.equal(0, lagoon:stop())
    assert.same({}, app:journal({ n = 2 }))
    assert.equal(0, broker:committed(group, topic, 10)[0] or 0)
  end)
end)

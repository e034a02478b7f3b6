-- A record that fails stops its partition, loudly, and is the next one after a restart.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local examples = require("spec.functional.failure_examples")
local wait = require("spec.support.wait")

-- A handler that returned is behind its record when Kafka refuses what it published, so there the
-- next one may have begun.
local EXAMPLES = examples.list
local REFUSED = #EXAMPLES - 1
local BAD_JSON, UNKNOWN, FINE = #EXAMPLES, #EXAMPLES + 1, #EXAMPLES + 2
local PARTITIONS = FINE + 1

describe("a record that fails", function()
  local broker, app, first, topic, group

  local function produce(partition, records, type)
    broker:produce(topic, records,
      { partition = partition, headers = { { "Message-Type", type or "Event" } } })
  end

  local function start(run, mended)
    local lagoon = app:start({ "run" }, { env = { RUN = run, MENDED = mended } })
    lagoon:wait_assigned("c")
    return lagoon
  end

  ---In each partition a good record, one that fails and one behind it.
  local function produce_all()
    for i, example in ipairs(EXAMPLES) do
      local prefix = example[1] == "kept context" and ',"example":"kept context"' or ""
      produce(i - 1, {
        { key = "k", value = '{"n":0' .. prefix .. "}" },
        { key = "key " .. i, value = ('{"n":1,"example":"%s"}'):format(example[1]) },
        { key = "k", value = '{"n":2}' },
      })
    end
    produce(BAD_JSON, { { key = "k", value = '{"n":0}' }, { key = "bad", value = '{"n":1' },
      { key = "k", value = '{"n":2}' } })
    produce(UNKNOWN, { { key = "k", value = "no JSON" }, { key = "k", value = "{}" } }, "Unknown")
    produce(UNKNOWN, { { key = "k", value = "{}" } }, "Foreign")
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("failures", PARTITIONS)
    group = brokers.unique("failures")
    app = application.new(broker.brokers, {
      producers = { first = { topic = topic }, second = { topic = topic } },
      consumers = {
        c = { topic = topic, group = group, distribution = "partition", workers = 1,
          commit_interval = "50ms", on_error = "stop", on_invalid = "stop",
          handlers = { Event = "handlers.fails" } },
      },
    }, examples.scripts)
    produce_all()
    first = start("first")
  end)

  local function failure(partition)
    return first:wait_log("^consumer c: a record failed; its partition is stopped",
      { partition = partition })
  end

  for i, example in ipairs(EXAMPLES) do
    it(("says where and why: %s"):format(example[1]), function()
      local line = failure(i - 1)
      assert.equal("error", line.level)
      assert.same({ topic, 1, "key " .. i, 1 }, { line.topic, line.offset, line.key, line.attempt })
      assert.equal(example[2], line.reason:sub(1, #example[2]))
      if example.is_traced then
        assert.matches("\nstack traceback:\n.*scripts/[%w/]+%.lua:%d+: in ", line.reason)
      end
    end)
  end

  it("is one with bad JSON, too", function()
    local line = failure(BAD_JSON)
    assert.same({ topic, 1, "bad", 1 }, { line.topic, line.offset, line.key, line.attempt })
    assert.equal("the value is not JSON: byte 6: ", line.reason:sub(1, 31))
  end)

  it("is none when its type has no handler: it is skipped, and warned of once a type", function()
    wait.till("the commit past unknown types", 10000, function()
      return broker:committed(group, topic, PARTITIONS)[UNKNOWN] == 3
    end)
    assert.equal(1, #first:log("no handler for type 'Unknown', first at "))
    assert.equal(1, #first:log("no handler for type 'Foreign', first at "))
  end)

  it("leaves other partitions alone", function()
    produce(FINE, { { key = "k", value = '{"n":7}' } })
    app:wait_journal(1, { partition = FINE, n = 7 })
  end)

  it("is not committed past, and nothing behind it begins", function()
    local expected = { [UNKNOWN] = 3, [FINE] = 1 }
    for partition = 0, BAD_JSON do
      failure(partition)
      expected[partition] = 1
    end
    wait.till("the commits", 10000, function()
      local committed = broker:committed(group, topic, PARTITIONS)
      return pcall(assert.same, expected, committed)
    end)
    for _, entry in ipairs(app:journal({ n = 2 })) do
      assert.equal(REFUSED, entry.partition)
    end
  end)

  it("is counted by its kind, with its last sentence and when that was", function()
    local answer = json.decode(app:run({ "status", "--json" }).process:stdout())
    local counts, errors = {}, answer.consumers[1].errors
    for kind, found in pairs(errors) do
      counts[kind] = found.count
      assert.is_true(found.at <= answer.now and found.at > answer.now - answer.uptime_ms)
    end
    assert.same({ handler = #EXAMPLES - 2, invalid = 1, publish_refused = 2 }, counts)
    local place = answer.consumers[1].partitions[BAD_JSON + 1]
    assert.same({ BAD_JSON, true, 1, "given back" },
      { place.partition, place.is_stopped, place.oldest.offset, place.oldest.state })
    assert.is_true(place.oldest.age_ms > 0)
    assert.equal(("%s[%d]@1: the value is not JSON: byte 6: "):format(topic, BAD_JSON),
      errors.invalid.last:match("^.*byte 6: "))
  end)

  it("is counted, one error line each, and no reason for another exit code", function()
    assert.equal(0, first:stop())
    assert.equal(#EXAMPLES + 1, #first:log("a record failed"))
    local counts = first:wait_log("^consumer c: stopped")
    assert.equal(#EXAMPLES + 1, counts.failed)
    assert.equal(3, counts.skipped)
    local handled = #app:journal({ run = "first" })
    for _, example in ipairs(EXAMPLES) do
      handled = handled - (example.is_handled and 0 or 1)
    end
    assert.equal(handled, counts.handled)
  end)

  it("is the first of its partition that the next process handles", function()
    produce(BAD_JSON, { { key = "k", value = '{"n":3}' } })
    local second = start("second", "true")
    local entries = app:wait_journal(#EXAMPLES * 2, { run = "second" })
    local next_offset = {}
    for _, entry in ipairs(entries) do
      assert.equal(next_offset[entry.partition] or 1, entry.offset)
      next_offset[entry.partition] = entry.offset + 1
    end
    local line = second:wait_log("a record failed", { partition = BAD_JSON })
    assert.same({ 1, 1 }, { line.offset, line.attempt })
    wait.till("the commits", 10000, function()
      local committed = broker:committed(group, topic, PARTITIONS)
      return committed[0] == 3 and committed[#EXAMPLES - 1] == 3
    end)
    assert.equal(0, second:stop())
    assert.equal(#EXAMPLES * 2, #app:journal({ run = "second" }))
    assert.equal(1, broker:committed(group, topic, PARTITIONS)[BAD_JSON])
  end)
end)

-- The order in which records are handled, and that they wait for nothing else.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

-- Handlers of different records end in another order than they begin.
local DELAYED = [[
local journal = require("journal")
local lagoon = require("lagoon")

return function(event, context)
  journal.record(context, { what = "begin", n = event.n })
  lagoon.sleep(math.random(0, 5) / 1000)
  journal.record(context, { what = "end", n = event.n })
end
]]

local GATED = [[
local gate = require("gate")
local journal = require("journal")

return function(event, context)
  if event.gate then
    gate[event.how](event.gate)
  end
  journal.record(context, { gate = event.gate })
end
]]

local TRIVIAL = [[
local journal = require("journal")

return function(event, context)
  journal.record(context, { n = event.n })
end
]]

describe("records", function()
  local broker, app
  local topics = {}

  setup(function()
    broker = brokers.start()
    local function consumer(name, partitions, fields)
      topics[name] = broker:new_topic(name, partitions)
      fields.topic, fields.group = topics[name], topics[name]
      fields.handlers = { Event = "handlers." .. fields.handler }
      fields.handler = nil
      return fields
    end
    app = application.new(broker.brokers, {
      consumers = {
        keys = consumer("keys", 4, { workers = 8, handler = "delayed" }),
        partitions = consumer("partitions", 4, { workers = 8, distribution = "partition",
          handler = "delayed" }),
        nulls = consumer("nulls", 1, { workers = 2, handler = "gated" }),
        waits = consumer("waits", 1, { workers = 1, buffer_size = 2, distribution = "free_worker",
          handler = "gated" }),
        blocks = consumer("blocks", 1, { workers = 2, buffer_size = 1,
          distribution = "free_worker", handler = "gated" }),
        others = consumer("others", 1, { workers = 2, handler = "gated" }),
        hot = consumer("hot", 1, { workers = 8, handler = "trivial" }),
      },
    }, {
      ["handlers/delayed"] = DELAYED,
      ["handlers/gated"] = GATED,
      ["handlers/trivial"] = TRIVIAL,
    })
    local lagoon = app:start({ "run" })
    for name in pairs(topics) do
      lagoon:wait_assigned(name)
    end
  end)

  local function produce(name, records, partition)
    broker:produce(topics[name], records,
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  ---Asserts that what shares a name began and ended one after the other, in the order of n.
  local function assert_in_order(entries, name_of)
    local expected, overlaps = {}, 0
    local last_name
    for _, entry in ipairs(entries) do
      local name = name_of(entry)
      local place = expected[name] or { n = 1, what = "begin" }
      assert.same(place, { n = entry.n, what = entry.what }, "of " .. name)
      expected[name] = entry.what == "begin" and { n = entry.n, what = "end" } or
        { n = entry.n + 1, what = "begin" }
      overlaps = overlaps + (last_name ~= name and 1 or 0)
      last_name = name
    end
    -- Else nothing ran at the same time, and the order means little. The partitions are written one
    -- after the other, so that some of one may be over before the next begins.
    assert.is_true(overlaps > #entries / 20, overlaps .. " overlaps")
  end

  it("of equal keys keep their order under `key`, with random delays and 8 workers", function()
    local records = {}
    for n = 1, 40 do
      for key = 1, 50 do
        table.insert(records, { key = "order-" .. key, value = ('{"n":%d}'):format(n) })
      end
    end
    produce("keys", records)
    local entries = app:wait_journal(4000, { topic = topics.keys })
    assert_in_order(entries, function(entry) return entry.key end)
    local workers, count = {}, 0
    for _, entry in ipairs(entries) do
      count = count + (workers[entry.worker] and 0 or 1)
      workers[entry.worker] = true
    end
    assert.is_true(count > 1, "all of it on one worker")
  end)

  it("of a partition are handled in order under `partition`, whatever their keys", function()
    for partition = 0, 3 do
      local records = {}
      for n = 1, 100 do
        records[n] = { key = "key-" .. n % 7, value = ('{"n":%d}'):format(n) }
      end
      produce("partitions", records, partition)
    end
    local entries = app:wait_journal(800, { topic = topics.partitions })
    assert_in_order(entries, function(entry) return entry.partition end)
  end)

  ---Behind a record that waits at a gate, produces others and waits until they are handled.
  local function pass_by(name, how, records)
    if how == "block" then
      app:make_blocking_gate(name)
    end
    local slow = { key = "k", value = ('{"gate":"%s","how":"%s"}'):format(name, how) }
    produce(name, { slow }, 0)
    produce(name, records, 0)
    local entries = app:wait_journal(#records, { topic = topics[name] })
    for _, entry in ipairs(entries) do
      assert.is_nil(entry.gate)
    end
    if how == "block" then
      app:open_blocking_gate(name)
    else
      app:open_gate(name)
    end
    local all = app:wait_journal(#records + 1, { topic = topics[name] })
    assert.equal(name, all[#all].gate)
  end

  local function many(key)
    local records = {}
    for i = 1, 20 do
      records[i] = { key = key, value = "{}" }
    end
    return records
  end

  it("wait for no slow record under `free_worker`, not for its key, not for its worker", function()
    pass_by("waits", "wait", many("k"))
    pass_by("blocks", "block", many("k"))
  end)

  it("of other keys wait for no slow record under `key`", function()
    pass_by("others", "wait", many("other"))
  end)

  it("with equal keys wait for the slow one before them under `key`", function()
    produce("others", { { key = "held", value = '{"gate":"held","how":"wait"}' },
      { key = "held", value = "{}" } }, 0)
    produce("others", { { key = "witness", value = "{}" } }, 0)
    app:wait_journal(1, { topic = topics.others, key = "witness" })
    assert.equal(0, #app:journal({ key = "held" }))
    app:open_gate("held")
    local held = app:wait_journal(2, { topic = topics.others, key = "held" })
    assert.equal("held", held[1].gate)
    assert.is_nil(held[2].gate)
  end)

  it("without a key keep no order under `key`", function()
    produce("nulls", { { value = '{"gate":"null","how":"wait"}' }, { value = "{}" } }, 0)
    assert.is_nil(app:wait_journal(1, { topic = topics.nulls })[1].gate)
    app:open_gate("null")
    app:wait_journal(2, { topic = topics.nulls })
  end)

  it("of one hot key do not stall between each other", function()
    local records = {}
    for n = 1, 2000 do
      records[n] = { key = "hot", value = ('{"n":%d}'):format(n) }
    end
    produce("hot", records, 0)
    local entries = app:wait_journal(2000, { topic = topics.hot })
    for n, entry in ipairs(entries) do
      assert.equal(n, entry.n)
    end
    -- A millisecond between two would be a stall; what it takes is some 20 microseconds.
    local took_ms = entries[2000].at - entries[1].at
    assert.is_true(took_ms < 2000 * wait.patience, ("2000 records took %d ms"):format(took_ms))
  end)
end)

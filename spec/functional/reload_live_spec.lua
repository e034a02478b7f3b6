-- What a running consumer goes by changes with the config, and neither its group nor its records
-- notice.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local sanitizer = require("spec.support.sanitizer")
local unit = require("unit")
local wait = require("spec.support.wait")

local HANDLER = [[
local gate, journal = require("gate"), require("journal")

return function(event, context)
  journal.record(context, { n = event.n, what = "begin" })
  if event.fails then
    error("no stock")
  end
  while event.spins do
  end
  if event.gate then
    gate.wait(event.gate)
  end
  journal.record(context, { n = event.n, what = "end" })
end
]]

describe("A change of a running consumer", function()
  local broker, app, lagoon, topic, config
  local number, last_n = 1, 0

  ---Changes keys of the consumer and reloads.
  local function change(fields)
    for key, value in pairs(fields) do
      config.consumers.c[key] = value
    end
    app:write_config(config)
    number = number + 1
    local run = app:run({ "reload" })
    assert.equal(0, run.process.code, run.process:stderr())
    assert.matches(("^reloaded, generation %d runs"):format(number), run.process:stdout())
    assert.is_nil(run.process:stdout():find("started again", 1, true))
    return run.process:stdout()
  end

  ---@param event? table
  ---@param count? integer
  ---@return integer # the n of the first one
  local function send(event, count)
    local first = last_n + 1
    local records = {}
    for i = 1, count or 1 do
      last_n = last_n + 1
      local fields = { n = last_n }
      for name, value in pairs(event or {}) do
        fields[name] = value
      end
      records[i] = { key = "key-" .. last_n, value = json.encode(fields) }
    end
    broker:produce(topic, records, { headers = { { "Message-Type", "Event" } } })
    return first
  end

  local function status()
    return json.decode(app:run({ "status", "--json" }).process:stdout()).consumers[1]
  end

  local function wait_status(what, condition)
    wait.till(what, 10000, function()
      local consumer = status()
      return condition(consumer), json.encode(consumer)
    end)
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("live", 1)
    config = {
      consumers = {
        c = { topic = topic, group = topic, distribution = "free_worker", workers = 1,
          buffer_size = 1, on_error = { retries = 0, give_up = "skip" },
          dead_letter = topic .. "-a", handlers = { Event = "handlers.handler" } },
      },
    }
    app = application.new(broker.brokers, config, { ["handlers/handler"] = HANDLER })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  teardown(function()
    app:open_gate("hands")
    assert.equal(1, #lagoon:log("^consumer c: assigned"))
    assert.equal(0, #lagoon:log("^consumer c: gives back"))
    assert.equal(0, lagoon:stop())
  end)

  it("gives a worker more hands at once, and fewer as they come free", function()
    local first = send({ gate = "hands" }, 4)
    app:wait_journal(1, { n = first, what = "begin" })
    assert.matches("consumers.c.buffer_size", change({ buffer_size = 3 }))
    app:wait_journal(1, { n = first + 2, what = "begin" })
    assert.equal(0, #app:journal({ n = first + 3 }))
    change({ buffer_size = 1 })
    app:open_gate("hands")
    app:wait_journal(1, { n = first + 3, what = "end" })
    app:close_gate("hands")
    first = send({ gate = "hands" }, 2)
    app:wait_journal(1, { n = first, what = "begin" })
    assert.equal(0, #app:journal({ n = first + 1 }))
    app:open_gate("hands")
    app:wait_journal(1, { n = first + 1, what = "end" })
  end)

  it("starts workers, and lets those that are too many retire", function()
    change({ workers = { min = 3, max = 8, lag_threshold = 100 } })
    wait_status("three workers", function(consumer)
      return consumer.workers.running == 3 and consumer.workers.max == 8
    end)
    lagoon:wait_log("^consumer c: 1 %-> 3 workers: as the config now says$")
    app:close_gate("hands")
    local first = send({ gate = "hands" }, 3)
    for i = 0, 2 do
      app:wait_journal(1, { n = first + i, what = "begin" })
    end
    change({ workers = 2 })
    wait_status("one that retires", function(consumer)
      return consumer.workers.running == 2 and consumer.workers.retiring == 1
    end)
    app:open_gate("hands")
    app:wait_journal(1, { n = first + 2, what = "end" })
    wait_status("two workers", function(consumer)
      return consumer.workers.running == 2 and consumer.workers.retiring == 0
    end)
  end)

  -- Kafka itself says that a topic is unknown until it is there.
  local function wait_topic(name)
    wait.till("topic " .. name, 10000, function()
      return (unit.kafka.partitions(broker.brokers, name) or 0) > 0
    end)
    return name
  end

  it("takes records of failed handlers elsewhere, and then to another topic", function()
    local first = send({ fails = true })
    lagoon:wait_log("^consumer c: a record is skipped", { offset = first - 1 })
    change({ on_error = { retries = 0, give_up = "dead_letter" } })
    send({ fails = true })
    assert.equal(1, #broker:consume(wait_topic(topic .. "-a"), { count = 1 }))
    change({ dead_letter = topic .. "-b" })
    send({ fails = true })
    assert.equal(1, #broker:consume(wait_topic(topic .. "-b"), { count = 1 }))
    assert.equal(1, broker:end_offsets(topic .. "-a", 1)[0])
  end)

  it("ends handlers by the limit that is in force when they begin", function()
    if sanitizer.holds_signals then
      return pending("ThreadSanitizer holds the signal back that ends a loop")
    end
    change({ on_error = { retries = 0, give_up = "skip" }, cpu_limit = "150ms" })
    local first = send({ spins = true })
    local line = lagoon:wait_log("^consumer c: a record is skipped", { offset = first - 1 })
    assert.matches("ended: it used 0.15 s of CPU time", line.reason)
  end)

  it("bounds what is read, and commits when it says", function()
    change({ window = { records = 2 }, commit_interval = "1h" })
    app:close_gate("hands")
    local first = send({ gate = "hands" }, 6)
    app:wait_journal(1, { n = first + 1, what = "begin" })
    wait_status("a full window", function(consumer)
      return consumer.window.records == 2 and consumer.window.max_records == 2
    end)
    change({ window = { records = 100 } })
    wait_status("the others to be read", function(consumer)
      return consumer.window.records == 6
    end)
    app:open_gate("hands")
    app:wait_journal(1, { n = first + 5, what = "end" })
    assert.is_true((broker:committed(topic, topic, 1)[0] or 0) < first + 5)
    change({ commit_interval = "100ms" })
    wait.till("the commit", 10000, function()
      return broker:committed(topic, topic, 1)[0] == first + 5
    end)
  end)
end)

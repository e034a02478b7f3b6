-- What an operator changes of a running lagoon, by the verbs and over HTTP.

local json = require("cjson")

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local HANDLER = { ["handlers/notes"] = [[
  local gate, journal = require("gate"), require("journal")
  return function(event, context)
    journal.record(context)
    if event.gate then gate.wait(event.gate) end
  end
]] }

describe("steering", function()
  local broker, app, config, run, url, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("steering", 2)
    config = {
      cluster = { brokers = broker.brokers },
      producers = { out = { topic = topic } },
      consumers = {
        c = { topic = topic, group = brokers.unique("steering"), workers = { min = 1, max = 4 },
          commit_interval = "50ms", handlers = { Event = "handlers.notes" } },
      },
    }
    app = application.new(broker.brokers, config, HANDLER)
    run = app:start({ "run", "--listen", "127.0.0.1:0" })
    url = admin.url_of(run)
    run:wait_assigned("c")
  end)

  teardown(function()
    assert.equal(0, run:stop())
  end)

  local function lagoon(...)
    return app:ask(...)
  end

  local function consumer()
    return admin.json(url, "GET", "/v1/status").consumers[1]
  end

  local function produce(values, partition)
    local records = {}
    for i, value in ipairs(values) do
      records[i] = { key = "k" .. i, value = value }
    end
    broker:produce(topic, records, { partition = partition,
      headers = { { "Message-Type", "Event" } } })
  end

  local function committed()
    local sum = 0
    for _, partition in ipairs(consumer().partitions) do
      sum = sum + (partition.committed or 0)
    end
    return sum
  end

  it("says whether it is ready", function()
    wait.till("ready", 10000, function()
      return lagoon("health") == 0
    end)
    assert.same({ 0, "ready\n" }, { lagoon("health") })
    assert.same({ 0, '{"ready":true,"reasons":[]}\n' }, { lagoon("health", "--json") })
    local alone = application.new(broker.brokers, { producers = { out = { topic = topic } } })
    assert.equal(1, alone:run({ "health" }).process.code)
  end)

  it("holds a consumer and lets it go on, and nothing is lost or handled twice", function()
    produce({ '{"gate":"one"}', '{"gate":"one"}' }, 0)
    app:wait_journal(2)
    assert.same({ 0, "consumer c is paused; 2 handlers that began still run\n" },
      { lagoon("pause", "c") })
    assert.same({ 0, "consumer c is paused already\n" }, { lagoon("pause", "c") })
    assert.same({ consumer = "c", was_paused = true, running = 2 },
      admin.json(url, "POST", "/v1/consumers/c/pause"))
    app:open_gate("one")
    produce({ "{}", "{}", "{}" }, 1)
    produce({ "{}", "{}", "{}" }, 0)
    wait.till("what had begun to be committed", 10000, function()
      return committed() == 2
    end)
    assert.is_true(consumer().is_paused)
    assert.equal(2, #app:journal())
    assert.matches("consumer c: paused, group ", select(2, lagoon("status")))
    assert.matches("c is paused, all of it",
      admin.json(url, "POST", "/v1/consumers/c/resume", { body = '{"partition":0}' }, 409).error)
    assert.matches("^consumer c goes on\n", select(2, lagoon("resume", "c")))
    app:wait_journal(8)
    wait.till("all to be committed", 10000, function()
      return committed() == 8
    end)
    assert.equal(8, #app:journal())
    assert.equal(1, #run:log("^consumer c: running %-> paused"))
    assert.equal(1, #run:log("^consumer c: paused %-> running"))
  end)

  it("stays paused over a rebalance", function()
    assert.equal(0, (lagoon("pause", "c")))
    local before = #app:journal()
    local other = app:start({ "run" })
    other:wait_assigned("c")
    wait.till("one partition each", 20000, function()
      return #consumer().partitions == 1
    end)
    assert.equal(0, other:stop())
    wait.till("both partitions again", 30000, function()
      return #consumer().partitions == 2
    end)
    produce({ "{}" }, 0)
    produce({ "{}" }, 1)
    wait.till("both to be there", 10000, function()
      local partitions = consumer().partitions
      return (partitions[1]["end"] or 0) + (partitions[2]["end"] or 0) == 10
    end)
    assert.equal(before, #app:journal())
    assert.is_true(consumer().is_paused)
    assert.equal(0, (lagoon("resume", "c")))
    app:wait_journal(before + 2)
  end)

  it("gives so many workers for a while", function()
    assert.same({ 0, "consumer c: 1 -> 3 workers, for 3600 s\n" }, { lagoon("workers", "c", "3") })
    wait.till("three workers", 10000, function()
      return consumer().workers.running == 3
    end)
    assert.matches("3 of 4 workers, as asked for, for ", select(2, lagoon("status")))
    assert.matches("as many workers as its lag asks for", select(2, lagoon("workers", "c", "auto")))
    assert.same({ consumer = "c", from = 3, workers = 4, for_ms = 300 },
      admin.json(url, "POST", "/v1/consumers/c/workers", { body = '{"workers":4,"for_ms":300}' }))
    wait.till("its end", 10000, function()
      return #run:log("^consumer c: the time of the 4 workers that were asked for is over") == 1
    end)
    assert.is_nil(consumer().workers.overridden_for_ms)
    assert.matches("may have 4 workers at most", select(2, lagoon("workers", "c", "5")))
    assert.equal(2, (lagoon("workers", "c", "many")))
    assert.matches('"workers" is missing',
      admin.json(url, "POST", "/v1/consumers/c/workers", {}, 400).error)
    assert.matches("1 ms to 7 days", admin.json(url, "POST", "/v1/consumers/c/workers",
      { body = '{"workers":1,"for_ms":0}' }, 400).error)
  end)

  it("holds over a reload that has the consumer begin anew", function()
    lagoon("pause", "c")
    lagoon("workers", "c", "3")
    local before = #app:journal()
    config.consumers.c.properties = { ["fetch.wait.max.ms"] = 10 }
    app:write_config(config)
    assert.matches("join anew: c\n", select(2, lagoon("reload")))
    run:wait_log("^consumer c: begins anew and is still paused, as was asked for: lagoon resume c ")
    produce({ "{}" }, 0)
    wait.till("what lies ahead, of both partitions", 30000, function()
      local now = consumer()
      return now.state == "running" and #now.partitions == 2 and now.partitions[1].lag == 1
    end)
    local now = consumer()
    assert.same({ true, 3, before }, { now.is_paused, now.workers.wanted, #app:journal() })
    assert.is_true(now.workers.overridden_for_ms > 3500000)
    assert.equal(0, (lagoon("resume", "c")))
    lagoon("workers", "c", "auto")
    app:wait_journal(before + 1)
  end)

  it("changes the level of the log, and says so where it is seen", function()
    assert.same({ 0, "log level: info -> error, until the next reload\n" },
      { lagoon("log-level", "error") })
    assert.equal(1, #run:log("^log level: info %-> error"))
    assert.same({ from = "error", level = "info" },
      admin.json(url, "POST", "/v1/log-level", { body = '{"level":"info"}' }))
    assert.equal(1, #run:log("^log level: error %-> info"))
    local code, said = lagoon("log-level", "loud")
    assert.same({ 2, "lagoon log-level: the level is debug, info, warn or error, got 'loud'\n" },
      { code, said })
  end)
end)

describe("an event over HTTP", function()
  local broker, app, run, url, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("http", 2)
    app = application.new(broker.brokers, {
      producers = {
        out = { topic = topic, key_field = "order.id", headers = { source = "web", a = "b" } },
        strict = { topic = topic, key_field = "id", key_missing = "error" },
        bytes = { topic = topic, codec = "raw", type_header = false },
      },
    })
    run = app:start({ "run", "--only", "producers", "--listen", "127.0.0.1:0" })
    url = admin.url_of(run)
    run:wait_log("^producer out is ready")
  end)

  teardown(function()
    assert.equal(0, run:stop())
  end)

  local function publish(path, body, status)
    return admin.json(url, "POST", "/v1/producers/" .. path, { body = body }, status)
  end

  it("is answered with where Kafka has it", function()
    local first = publish("out/Created?key=k%20%C3%A9&header=Trace=4=f&header=source=me",
      '{"order": {"id": 1}}')
    assert.same({ topic = topic, partition = first.partition, offset = 0 }, first)
    local second = publish("out/Created", '{"order": {"id": 42}}')
    local third = publish("bytes/Any", "no JSON")
    local function found(place)
      for _, record in ipairs(broker:consume(topic, { count = 3 })) do
        if record.partition == place.partition and record.offset == place.offset then
          return record
        end
      end
    end
    local record = found(first)
    assert.same({ "k é", '{"order": {"id": 1}}' }, { record.key, record.value })
    assert.same({ { "Message-Type", "Created" }, { "Trace", "4=f" }, { "source", "me" },
      { "a", "b" } }, record.headers)
    record = found(second)
    assert.same({ "42", { { "Message-Type", "Created" }, { "a", "b" }, { "source", "web" } } },
      { record.key, record.headers })
    record = found(third)
    assert.equal("no JSON", record.value)
    assert.matches("^%x+%-%x+%-4%x+%-%x+%-%x+$", record.key)
  end)

  it("is refused with a sentence where it is wrong", function()
    assert.matches("^the event is no JSON: ", publish("out/Created", "{", 400).error)
    assert.matches("^the event is no JSON: ", publish("out/Created", nil, 400).error)
    assert.same({ error = "the event has no 'id', which is the key of the producer" },
      publish("strict/Created", "{}", 400))
    assert.matches("'id' is its key and must be a string",
      publish("strict/A", '{"id":{}}', 400).error)
    assert.matches("^there is no producer 'nobody'", publish("nobody/A", "{}", 404).error)
    assert.matches("^unknown parameter 'kye'", publish("out/A?kye=1", "{}", 400).error)
    assert.matches("^header is NAME=VALUE", publish("out/A?header=x", "{}", 400).error)
    assert.equal(413, admin.ask(url, "POST", "/v1/producers/out/A",
      { body = ("x"):rep(1024 * 1024 + 1) }).status)
  end)

  it("is told to come again while its cluster has not answered", function()
    local away = application.new("127.0.0.1:1", { producers = { out = { topic = "t" } } })
    local waiting = away:start({ "run", "--listen", "127.0.0.1:0" })
    local place = admin.url_of(waiting)
    local answer = admin.ask(place, "POST", "/v1/producers/out/A", { body = "{}" })
    assert.same({ 503, "1", "a cluster has not answered yet" },
      { answer.status, answer.headers["retry-after"], json.decode(answer.body).error })
    assert.same({ live = true }, admin.json(place, "GET", "/live"))
    assert.same({ ready = false, reasons = { "a cluster that is needed has not answered yet" } },
      admin.json(place, "GET", "/ready", {}, 503))
    assert.equal(1, away:run({ "health" }).process.code)
    assert.equal(0, waiting:stop())
  end)
end)

-- What verbs ask a running lagoon by its socket, and who gets an answer.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local control = require("unit").control
local wait = require("spec.support.wait")

local PARTITIONS = 2

describe("lagoon status", function()
  local broker, app, first, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("status", PARTITIONS)
    app = application.new(broker.brokers, {
      producers = { out = { topic = topic } },
      consumers = {
        c = { topic = topic, group = brokers.unique("status"), workers = { min = 1, max = 3 },
          commit_interval = "50ms", handlers = { Event = "handlers.waits" } },
      },
    }, { ["handlers/waits"] = [[
      local gate, journal = require("gate"), require("journal")
      return function(event, context)
        journal.record(context)
        if event.gate then gate.wait(event.gate) end
      end
    ]] })
    first = app:start({ "run" })
    first:wait_assigned("c")
  end)

  teardown(function()
    assert.equal(0, first:stop())
  end)

  local function ask(arguments, options)
    local run = app:run(table.move(arguments or {}, 1, 9, 2, { "status" }), options)
    return run.process.code, run.process:stdout(), run.process:stderr()
  end

  local function status(instance)
    local code, stdout, stderr = ask({ "--json", instance and "--instance", instance })
    assert.same({ 0, "" }, { code, stderr })
    return json.decode(stdout)
  end

  it("says what each consumer does, without waiting for its handlers", function()
    for partition = 0, 1 do
      broker:produce(topic, { { key = "k", value = '{"gate":"g"}' } },
        { partition = partition, headers = { { "Message-Type", "Event" } } })
    end
    app:wait_journal(2)
    local found = wait.till("both in the status", 10000, function()
      local answer = status()
      local places = answer.consumers[1].partitions
      return places[1]["end"] == 1 and places[2]["end"] == 1 and answer
    end)
    assert.equal(first.process.pid, found.process)
    assert.same({ "1", "running" }, { found.instance, found.state })
    local consumer = found.consumers[1]
    assert.same({ "c", "running", 2, 3 },
      { consumer.name, consumer.state, consumer.running, consumer.workers.max })
    for partition = 0, 1 do
      local place = consumer.partitions[partition + 1]
      assert.same({ topic, partition, 0, 1, 1, 1, 1, false },
        { place.topic, place.partition, place.committed, place["end"], place.lag, place.running,
          place.unsettled, place.is_stopped })
    end
    app:open_gate("g")
    wait.till("the commits in the status", 10000, function()
      local now = status().consumers[1]
      return now.running == 0 and now.counts.handled == 2 and now.partitions[1].lag == 0
        and now.partitions[2].committed == 1
    end)
    local answer = status()
    local now, calls = answer.consumers[1], 0
    for _, count in ipairs(now.handler_duration.counts) do
      calls = calls + count
    end
    assert.same({ 2, 2, 1 }, { now.counts.received, calls,
      #now.handler_duration.counts - #now.handler_duration.bounds_us })
    assert.is_false(answer.is_reloading)
  end)

  it("is read by people in 80 columns", function()
    local code, stdout = ask()
    assert.equal(0, code)
    assert.matches("^lagoon config.lua, instance 1, process %d+, up [%w ]+: running\n", stdout)
    assert.matches("\nconsumer c: running, group status", stdout)
    assert.matches("\n  handled 2, retried 0, ", stdout, 1, true)
    assert.matches("\n  status[%w.-]+ +1 +1 +1 +0 +0\n", stdout)
    for line in stdout:gmatch("[^\n]+") do
      assert.is_true(#line <= 80, line)
    end
  end)

  it("asks which one is meant when several run", function()
    local second = app:start({ "run" })
    second:wait_log("^another lagoon of this config runs here: .* %-%-instance 2$")
    local code, stdout, stderr = ask()
    assert.same({ 2, "" }, { code, stdout })
    assert.matches(("name the one that is meant:\n  --instance 1  (process %d)\n"
      .. "  --instance 2  (process %d)\n"):format(first.process.pid, second.process.pid), stderr, 1,
      true)
    assert.equal(second.process.pid, status("2").process)
    stdout = select(2, ask({ "--json" }, { env = { LAGOON_INSTANCE = "1" } }))
    assert.equal(first.process.pid, json.decode(stdout).process)
    assert.equal(0, second:stop())
    assert.equal(first.process.pid, status().process)
  end)

  it("finds one by the name that it was given, or by another when that is taken", function()
    local named = app:start({ "run", "--instance", "api" })
    local code = wait.till("the named one", 10000, function()
      return ask({ "--instance", "api" }) == 0 and 0
    end)
    assert.equal(0, code)
    local other = app:start({ "run" }, { env = { LAGOON_INSTANCE = "api" } })
    other:wait_log("^another lagoon of this config runs here as api: .* %-%-instance api%-2$")
    assert.equal(0, named:stop())
    assert.equal(0, other:stop())
  end)

  it("says that none runs", function()
    local alone = application.new(broker.brokers, { producers = { out = { topic = topic } } })
    local run = alone:run({ "status" })
    assert.equal(4, run.process.code)
    assert.equal("lagoon status: no lagoon of config.lua runs here\n", run.process:stderr())
    local code, _, stderr = ask({ "--instance", "nobody" })
    assert.equal(4, code)
    assert.equal("lagoon status: no lagoon of config.lua runs here as nobody\n", stderr)
    code, _, stderr = ask({ "--instance", "a b" })
    assert.equal(2, code)
    assert.matches("--instance takes up to 63 letters, ", stderr, 1, true)
    code, _, stderr = ask({ "--config", "nothing.lua" })
    assert.equal(4, code)
    assert.equal("lagoon status: nothing.lua: No such file or directory\n", stderr)
  end)
end)

describe("the socket", function()
  local broker, app, run, config

  local function ask(bytes)
    local file = assert(control.connect(config, "1"))
    control.send(file, bytes)
    return control.receive(file)
  end

  setup(function()
    broker = brokers.start()
    app = application.new(broker.brokers, { producers = { out = { topic = "t" } } })
    config = app.folder .. "/config.lua"
    run = app:start({ "run" })
    wait.till("the socket", 10000, function()
      local file = control.connect(config, "1")
      return file and control.send(file, "\n") and control.receive(file)
    end)
  end)

  teardown(function()
    assert.equal(0, run:stop())
  end)

  it("says what it does not understand", function()
    for bytes, message in pairs({
      ["{}\n"] = 'the lagoon that runs knows no command ""',
      ['{"command":"fly"}\n'] = 'the lagoon that runs knows no command "fly"',
      ['{"command":1}\n'] = '"command" has to be a text',
      ['{"command":"status","now":1}\n'] = 'the lagoon that runs does not understand "now"',
      ["{\0}\n"] = "the request is not understood: it has a NUL",
      ["GET / HTTP/1.1\r\n"] = "the request is not understood: byte 0: expected an object",
    }) do
      assert.same({ error = message }, json.decode(ask(bytes)))
    end
    assert.matches('"error":"the request is longer than 65536 bytes"', ask(("x"):rep(100000)))
  end)

  it("bears many who ask nothing, and answers those who ask", function()
    local idle = {}
    for i = 1, 100 do
      idle[i] = assert(control.connect(config, "1"))
    end
    for _, file in ipairs(idle) do
      assert.equal("", control.receive(file))
    end
    assert.equal("running", json.decode(ask('{"command":"status"}\n')).state)
  end)
end)

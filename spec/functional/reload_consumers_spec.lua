-- Consumers come, go and begin anew with the config, and the others notice nothing.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local HANDLER = [[
local gate, journal = require("gate"), require("journal")

return function(event, context)
  journal.record(context, { n = event.n, what = "begin", consumer = context.consumer,
    group = context.group, attempt = context.attempt })
  if event.fails and not gate.is_open(event.fails) then
    error("no stock")
  end
  if event.gate then
    gate.wait(event.gate)
  end
  journal.record(context, { n = event.n, what = "end", consumer = context.consumer })
end
]]

describe("Consumers and a reload", function()
  local broker, app, lagoon, config
  local last_n = 0

  local function consumer(name, fields)
    fields = fields or {}
    fields.topic = fields.topic or broker:new_topic(name, 1)
    fields.group = fields.group or brokers.unique(name)
    fields.handlers = fields.handlers or { Event = "handlers.handler" }
    config.consumers[name] = fields
    return fields
  end

  ---@return string # what it says
  local function reload(code)
    app:write_config(config)
    local ended, text = app:ask("reload")
    assert.equal(code or 0, ended, text)
    return text
  end

  local function send(topic, event)
    last_n = last_n + 1
    event = event or {}
    event.n = last_n
    broker:produce(topic, { { value = json.encode(event) } },
      { partition = 0, headers = { { "Message-Type", "Event" } } })
    return last_n
  end

  local function see(name, topic)
    return app:wait_journal(1, { n = send(topic), what = "end", consumer = name })[1]
  end

  local function status()
    return json.decode(app:run({ "status", "--json" }).process:stdout())
  end

  local function states()
    local found = {}
    for _, one in ipairs(status().consumers) do
      found[one.name] = one.state
    end
    return found
  end

  local function wait_state(name, state)
    wait.till(("%s to be %s"):format(name, state or "gone"), 20000, function()
      return states()[name] == state, json.encode(states())
    end)
  end

  local function assigned(name)
    return #lagoon:log(("^consumer %s: assigned"):format(name))
  end

  setup(function()
    broker = brokers.start()
    config = { consumers = {}, topics = {} }
    config.cluster = { brokers = broker.brokers }
    consumer("stays", { workers = 2, drain_timeout = "3s" })
    app = application.new(broker.brokers, config, { ["handlers/handler"] = HANDLER })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("stays")
  end)

  teardown(function()
    see("stays", config.consumers.stays.topic)
    assert.equal(1, assigned("stays"))
    assert.equal(0, #lagoon:log("^consumer stays: gives back"))
    assert.equal(0, lagoon:stop())
  end)

  it("start with it, and their declared topics are made", function()
    local topic = brokers.unique("made")
    config.topics[topic] = { partitions = 4 }
    consumer("new", { topic = topic })
    assert.matches("\nconsumers that start: new\n", reload())
    lagoon:wait_assigned("new")
    assert.equal("new", see("new", topic).consumer)
  end)

  it("stop with it, once what they have begun has ended and is committed", function()
    local fields = consumer("leaves")
    reload()
    lagoon:wait_assigned("leaves")
    local n = send(fields.topic, { gate = "leaves" })
    app:wait_journal(1, { n = n, what = "begin" })
    config.consumers.leaves = nil
    assert.matches("\nconsumers that stop: leaves\n", reload())
    lagoon:wait_log("^consumer leaves: leaves its group: it is not declared any more$")
    assert.equal("stopping", states().leaves)
    app:open_gate("leaves")
    wait_state("leaves", nil)
    assert.equal(1, broker:committed(fields.group, fields.topic, 1)[0])
    assert.equal(1, #lagoon:log("^consumer leaves: stopped", { handled = 1, given_back = 0 }))
  end)

  it("begin anew where what they are has changed, after the last handler of before", function()
    local fields = consumer("anew", { drain_timeout = "50ms" })
    reload()
    lagoon:wait_assigned("anew")
    local n = send(fields.topic, { gate = "anew" })
    app:wait_journal(1, { n = n, what = "begin" })
    fields.group = brokers.unique("other")
    assert.matches("\nconsumers that leave their group and join anew: anew\n", reload())
    lagoon:wait_log("^consumer anew: leaves its group, to begin anew: .*: group$")
    assert.equal(1, assigned("anew"))
    app:open_gate("anew")
    local entries = app:wait_journal(2, { n = n, what = "end" })
    assert.equal(2, assigned("anew"))
    local begun = app:journal({ n = n, what = "begin" })
    assert.equal(fields.group, begun[2].group)
    assert.is_true(begun[2].at >= entries[1].at)
    fields.properties = { ["session.timeout.ms"] = 5000, ["heartbeat.interval.ms"] = 500 }
    assert.matches("anew", reload())
    wait.till("the third assignment", 30000, function()
      return assigned("anew") == 3
    end)
  end)

  it("are not started, nor is anything changed, where one of them cannot be", function()
    consumer("broken", { handlers = { Event = "handlers.broken" } })
    app:script("handlers/broken",
      "return { handle = function() end, on_load = function() error('no database') end }")
    local buffer_size = config.consumers.stays.buffer_size
    config.consumers.stays.buffer_size = 3
    assert.matches("^reload refused, .*handlers/broken.lua:1: no database", reload(3))
    assert.is_nil(states().broken)
    config.consumers.broken = nil
    config.consumers.stays.buffer_size = buffer_size
    reload()
  end)

  it("stop and start by `enabled`", function()
    local fields = consumer("switched", { enabled = false })
    reload()
    assert.is_nil(states().switched)
    fields.enabled = true
    assert.matches("\nconsumers that start: switched\n", reload())
    lagoon:wait_assigned("switched")
    fields.enabled = false
    assert.matches("\nconsumers that stop: switched\n", reload())
    wait_state("switched", nil)
  end)

  it("may be on a cluster that is new", function()
    local second = brokers.start_embedded()
    config.clusters = { second = { brokers = second.brokers } }
    second:create_topic("elsewhere", 1)
    consumer("elsewhere", { cluster = "second", topic = "elsewhere" })
    assert.matches("\nconsumers that start: elsewhere\n", reload())
    lagoon:wait_assigned("elsewhere")
    second:produce("elsewhere", { { value = '{"n":"there"}' } },
      { headers = { { "Message-Type", "Event" } } })
    app:wait_journal(1, { n = "there", what = "end" })
  end)

  it("begin again with a record that stopped its partition", function()
    local fields = consumer("stops", { on_error = { retries = 1, backoff = "1ms",
      give_up = "stop" }, dead_letter = false, on_invalid = "stop" })
    reload()
    lagoon:wait_assigned("stops")
    local n = send(fields.topic, { fails = "mended" })
    lagoon:wait_log("^consumer stops: a record failed; its partition is stopped")
    app:script("handlers/handler", HANDLER .. "-- mended\n")
    app:open_gate("mended")
    assert.matches(("\nstopped partitions that go on: %s[0]\n"):format(fields.topic):gsub("[%[%-]",
      "%%%0"), (reload()))
    local entry = app:wait_journal(3, { n = n, what = "begin" })[3]
    assert.equal(1, entry.attempt)
    app:wait_journal(1, { n = n, what = "end" })
  end)
end)

-- Producers come and go with the config.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local PUBLISHES = [[
local out = require("lagoon").producer("out")
return function(event)
  out:publish("Seen", { n = event.n }, { key = "k" })
end
]]

describe("A producer", function()
  local broker, app, lagoon, config, topic, first, second
  local last_n = 0

  local function reload()
    app:write_config(config)
    local run = app:run({ "reload" })
    assert.equal(0, run.process.code, run.process:stderr())
    assert.is_nil(run.process:stdout():find("started again", 1, true))
    return run.process:stdout()
  end

  local function send()
    last_n = last_n + 1
    broker:produce(topic, { { value = ('{"n":%d}'):format(last_n) } },
      { headers = { { "Message-Type", "Event" } } })
    return last_n
  end

  ---The last of so many records of the topic.
  local function last_of(name, count)
    return json.decode(broker:consume(name, { count = count })[count].value).n
  end

  local function names()
    local list = {}
    for _, producer in ipairs(json.decode(app:run({ "status", "--json" }).process:stdout())
      .producers) do
      table.insert(list, producer.name)
    end
    return list
  end

  setup(function()
    broker = brokers.start()
    topic, first, second = broker:new_topic("in", 1), broker:new_topic("first", 1),
      broker:new_topic("second", 1)
    config = { consumers = { c = { topic = topic, group = topic,
      handlers = { Event = "handlers.handler" } } } }
    app = application.new(broker.brokers, config,
      { ["handlers/handler"] = "return function() end" })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  it("that is new serves the scripts that came with it", function()
    config.producers = { out = { topic = first } }
    app:script("handlers/handler", PUBLISHES)
    assert.matches("producers.out %(new%)", reload())
    assert.equal(send(), last_of(first, 1))
    assert.same({ "out" }, names())
  end)

  it("whose topic has changed publishes there, and the one before is closed", function()
    config.producers.out.topic = second
    assert.matches("producers.out.topic", reload())
    assert.equal(send(), last_of(second, 1))
    assert.equal(1, broker:end_offsets(first, 1)[0])
    app:script("handlers/handler", PUBLISHES .. "-- more\n")
    reload()
    lagoon:wait_log("^producer out: closed, nothing is left that publishes by it$")
    assert.equal(send(), last_of(second, 2))
    config.producers.out.properties = { ["linger.ms"] = 1 }
    reload()
    assert.equal(send(), last_of(second, 3))
  end)

  it("that is removed goes with its scripts", function()
    config.producers = nil
    app:script("handlers/handler", "return function() end")
    reload()
    assert.same({}, names())
    app:script("handlers/handler", "return function() return true end")
    reload()
    wait.till("the end of all three", 20000, function()
      return #lagoon:log("^producer out: closed") == 3
    end)
    assert.equal(0, lagoon:stop())
  end)
end)

-- A change of one consumer, and what the groups of the others see of it: nothing.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local kafka = require("spec.support.kafka")
local kcat = require("spec.support.kcat")
local unit = require("unit")
local wait = require("spec.support.wait")

local NOTE = [[
local journal = require("journal")
return function(event, context)
  journal.record(context, { n = event.n, consumer = context.consumer, group = context.group })
end
]]

describe("A reload on Kafka", function()
  local server, app, lagoon, config
  local last_n = 0

  ---The generations that Kafka gave the group, in their order.
  local function generations(group)
    local found = {}
    local pattern = "tabilized group " .. group:gsub("%p", "%%%0") .. " generation (%d+)"
    server.nodes[1].process:is_running()
    for _, line in ipairs(server.nodes[1].process.output.lines) do
      table.insert(found, tonumber(line:match(pattern)))
    end
    return found
  end

  local function consumer(name, fields)
    fields = fields or {}
    fields.topic = fields.topic or brokers.unique(name)
    fields.group = brokers.unique(name)
    fields.handlers = { Event = "handlers.note" }
    fields.properties = { ["heartbeat.interval.ms"] = 500 }
    config.consumers[name] = fields
    config.topics[fields.topic] = { partitions = 3 }
  end

  local function see(name)
    last_n = last_n + 1
    kcat.produce(server.brokers, config.consumers[name].topic,
      { { key = "k", value = json.encode({ n = last_n }) } },
      { headers = { { "Message-Type", "Event" } } })
    return app:wait_journal(1, { n = last_n, consumer = name })[1]
  end

  local function reload()
    app:write_config(config)
    local run = app:run({ "reload" })
    assert.equal(0, run.process.code, run.process:stderr())
    return run.process:stdout()
  end

  setup(function()
    server = kafka.shared()
    config = { consumers = {}, topics = {}, cluster = { brokers = server.brokers } }
    consumer("stays")
    consumer("moves")
    app = application.new(server.brokers, config, { ["handlers/note"] = NOTE })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("stays")
    lagoon:wait_assigned("moves")
  end)

  teardown(function()
    assert.equal(0, lagoon:stop())
  end)

  it("touches no group but that of the consumer that changed", function()
    local stays, moves = config.consumers.stays.group, config.consumers.moves.group
    wait.till("Kafka to say so", 10000, function()
      return #generations(stays) > 0 and #generations(moves) > 0
    end)
    local before = { generations(stays), generations(moves) }
    config.consumers.stays.workers = { min = 2, max = 9 }
    config.consumers.stays.window = { records = 77 }
    assert.matches("consumers.stays.workers.max", reload())
    consumer("comes")
    assert.matches("\nconsumers that start: comes\n", reload())
    lagoon:wait_log("^consumer comes: assigned " .. config.consumers.comes.topic:gsub("%p", "%%%0")
      .. "%[0%-2%]")
    assert.equal("comes", see("comes").consumer)
    see("moves")
    assert.same(before, { generations(stays), generations(moves) })

    config.consumers.moves.group = brokers.unique("moved")
    assert.matches("\nconsumers that leave their group and join anew: moves\n", reload())
    assert.equal(config.consumers.moves.group, see("moves").group)
    config.consumers.comes = nil
    assert.matches("\nconsumers that stop: comes\n", reload())
    lagoon:wait_log("^consumer comes: stopped")
    see("stays")
    assert.same(before[1], generations(stays))
    assert.equal(1, #lagoon:log("^consumer stays: assigned"))
    local committed = assert(unit.kafka.committed(server.brokers, moves,
      config.consumers.moves.topic, 3))
    local sum = 0
    for _, offset in pairs(committed) do
      sum = sum + offset
    end
    assert.equal(1, sum)
  end)
end)

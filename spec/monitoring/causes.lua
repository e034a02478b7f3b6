-- What makes the alert rules fire, and an application for which none may.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local kcat = require("spec.support.kcat")
local unit = require("unit")
local wait = require("spec.support.wait")

local M = {}

---What each alert is about: a consumer, a producer or a process of this spec.
M.SUBJECTS = {
  LagoonDown = "ends", LagoonRestarts = "ends", LagoonNotReady = "ill",
  LagoonFilesRefused = "ill", LagoonSharedRefused = "ill", LagoonFilesOpen = "cut",
  LagoonPartitionStopped = "stops", LagoonWorkersStuck = "sticks",
  LagoonBreakerOpen = "breaks", LagoonNoPartitions = "nobody", LagoonCommitsFail = "cut",
  LagoonOffsetJumps = "jumps", LagoonRecordsLate = "late", LagoonLagGrows = "grows",
  LagoonWorkersAtMax = "grows", LagoonWindowFull = "fills", LagoonDeadLetters = "fails",
  LagoonHandlersFail = "fails", LagoonStatesReplaced = "spoils",
  LagoonConsumerPaused = "paused", LagoonUnacknowledged = "unheard",
  LagoonBrokersAway = "away", LagoonLogLinesDropped = "away", LagoonPartitionStalled = "late",
   LagoonPublishRefused = "refuses",
}

-- Of a record, in milliseconds: older than LagoonRecordsLate allows.
local OLD_MS = 3600 * 1000

-- More than the embedded broker keeps of a partition, in records as large as one may be.
local LARGE, LARGE_COUNT = ('{"x":"%s"}'):format(("x"):rep(900000)), 14

local EVENT = { headers = { { "Message-Type", "Event" } } }

-- One handler for all: the consumer's name says what it does. Those that go round publish their
-- record anew, so that there is always another.
local DOES = [[
local gate = require("gate")
local lagoon = require("lagoon")

local grows = lagoon.producer("grows")
local fails = lagoon.producer("fails")
local spoils = lagoon.producer("spoils")

local does = {}

function does.jumps() end
function does.paused() end
function does.nobody() end
function does.stops() error("the cause of the stop") end
function does.breaks() error("the service is away") end
function does.sticks() gate.block("shut") end
function does.late() gate.wait("never") end
function does.fills() gate.wait("never") end

function does.grows()
  lagoon.sleep("1s")
  grows:publish("Event", {})
  grows:publish("Event", {})
end

function does.fails(_, context)
  if context.attempt == 1 then
    lagoon.sleep("100ms")
    fails:publish("Event", {})
  end
  error("it always fails")
end

function does.spoils(_, context)
  lagoon.sleep("300ms")
  spoils:publish("Event", {})
  local t = {}
  for i = 1, math.huge do t[i] = {} end
end

function does.shares()
  lagoon.shared("much"):set("key", ("x"):rep(100000))
end

return function(event, context)
  return does[context.consumer](event, context)
end
]]

---An application in which records are handled all the time.
---@param broker spec.Broker
---@return spec.Application
function M.well(broker)
  local topic = broker:new_topic("well", 2)
  local app = application.new(broker.brokers, {
    producers = { well = { topic = topic } },
    consumers = { well = { topic = topic, group = topic, handlers = { Event = "handlers.well" } } },
  }, { ["handlers/well"] = [[
    local lagoon = require("lagoon")
    local again = lagoon.producer("well")
    return function()
      lagoon.sleep("50ms")
      again:publish("Event", {})
    end
  ]] })
  app.topic = topic
  return app
end

---@param broker spec.Broker
---@param app spec.Application
function M.feed_well(broker, app)
  broker:produce(app.topic, { { key = "a", value = "{}" }, { key = "b", value = "{}" } }, EVENT)
end

-- More than waits for a log that takes nothing.
local TALKS = [[
local lagoon = require("lagoon")
return function()
  for n = 1, 1000 do
    lagoon.log.warn(("x"):rep(12000 + n))
  end
end
]]

---One that talks much, and whose broker will be taken away.
---@param broker spec.Broker of its own
---@return spec.Application
function M.away(broker)
  broker:create_topic("t", 1)
  return application.new(broker.brokers, { consumers = { away = { topic = "t", group = "away",
    workers = 1, handlers = { Event = "handlers.talks" },
    properties = { ["statistics.interval.ms"] = 500 } } },
  }, { ["handlers/talks"] = TALKS })
end

---@param broker spec.Broker
function M.feed_away(broker)
  broker:produce("t", { { key = "k", value = "{}" } }, EVENT)
end

-- What makes each of them different from the others.
local CONSUMERS = {
  stops = { on_error = "stop" },
  breaks = { on_error = { retries = 0, breaker = 2, max_backoff = "1s" } },
  sticks = { workers = 2, handler_timeout = "100ms" },
  late = { handler_timeout = false, stall_after = "2s" },
  fills = { handler_timeout = false, workers = 2, window = { records = 5 } },
  -- It fetches little ahead, so that the records are gone before it asks for them.
  jumps = { commit_interval = "50ms", properties = { ["queued.max.messages.kbytes"] = 1000,
    ["fetch.message.max.bytes"] = 1000000 } },
  paused = {},
  shares = { on_error = { retries = 0, give_up = "skip" } },
  grows = { buffer_size = 1, workers = 1 },
  fails = { on_error = { retries = 1, backoff = "1ms", breaker = false } },
  spoils = { on_error = { retries = 0, give_up = "skip", breaker = false } },
}

local function ill_config(broker)
  local topics = {}
  local config = { consumers = {}, producers = {}, lua = { memory_limit = "8MiB" },
    shared = { memory_limit = "64KiB" } }
  for name, consumer in pairs(CONSUMERS) do
    topics[name] = broker:new_topic(name, 1)
    config.consumers[name] = { topic = topics[name], group = topics[name], workers = 1,
      handlers = { Event = "handlers.does" } }
    for key, value in pairs(consumer) do
      config.consumers[name][key] = value
    end
  end
  for _, name in ipairs({ "grows", "fails", "spoils", "late" }) do
    config.producers[name] = { topic = topics[name] }
  end
  local name = brokers.unique("nobody")
  config.consumers.nobody = { topic = "^" .. name .. "-.*", group = name,
    handlers = { Event = "handlers.does" } }
  return config, topics
end

---@param broker spec.Broker
---@return table # {app, begin}
function M.ill(broker)
  local config, topics = ill_config(broker)
  local app = application.new(broker.brokers, config, { ["handlers/does"] = DOES })
  app:make_blocking_gate("shut")
  local self = { app = app }

  local function produce(name, count, value)
    local records = {}
    for n = 1, count or 1 do
      records[n] = { key = name, value = value or "{}" }
    end
    broker:produce(topics[name], records, { partition = 0, headers = EVENT.headers })
  end

  local function verb(...)
    local asked = app:run(...)
    assert(asked.process.code == 0, asked.process:tail())
  end

  function self.begin(run)
    for name in pairs(CONSUMERS) do
      run:wait_assigned(name)
    end
    produce("jumps")
    wait.till("the first record of jumps", 10000, function()
      return broker:committed(topics.jumps, topics.jumps, 1)[0] == 1
    end)
    verb({ "pause", "paused" })
    verb({ "pause", "jumps" })
    produce("jumps", LARGE_COUNT, LARGE)
    verb({ "resume", "jumps" })
    produce("grows", 400)
    produce("breaks", 3)
    produce("fills", 8)
    for _, name in ipairs({ "stops", "sticks", "shares", "fails", "spoils" }) do
      produce(name)
    end
    verb({ "publish", "late" }, { input = ('{"type":"Event","value":{},"timestamp":%d}\n'):format(
      os.time() * 1000 - OLD_MS) })
    app:script("handlers/does", "return function( -- no end")
    app:run({ "reload" })
  end

  return self
end

-- The first record's handler opens what it can get, and gives back only what a process needs to go
-- on. The second one publishes twice.
local CUT = [[
local gate = require("gate")
local journal = require("journal")
local lagoon = require("lagoon")

local refuses = lagoon.producer("refuses")
local unheard = lagoon.producer("unheard")
local open = {}

local does = {}

function does.files()
  local file = io.open("/dev/null")
  while file do
    table.insert(open, file)
    file = io.open("/dev/null")
  end
  for _ = 1, 30 do
    table.remove(open):close()
  end
end

function does.publish()
  pcall(function() refuses:publish("Event", {}):await() end)
  unheard:publish("Event", {})
end

return function(event, context)
  journal.record(context)
  gate.wait("cut off")
  does[event.does]()
end
]]

---One to which Kafka does not listen, and whose handler forgets to close files.
---@return table # {app, begin}
function M.cut()
  local mock = unit.cluster.mock()
  local names = { "cut", "refuses", "unheard" }
  for _, name in ipairs(names) do
    mock:create(name, 1)
  end
  local app = application.new(mock:brokers(), {
    producers = { refuses = { topic = "refuses" }, unheard = { topic = "unheard" } },
    consumers = { cut = { topic = "cut", group = "cut", workers = 1, commit_interval = "100ms",
      handlers = { Event = "handlers.cut" }, on_error = { retries = 0, give_up = "skip" } } },
  }, { ["handlers/cut"] = CUT })
  local self = { app = app }

  function self.begin()
    kcat.produce(mock:brokers(), "cut", { { key = "a", value = '{"does":"files"}' },
      { key = "b", value = '{"does":"publish"}' } }, EVENT)
    app:wait_journal(2)
    mock:refuse_commits("group_right", 1000)
    mock:refuse_produce("topic_right")
    mock:slow_produce(60000, 5)
    app:open_gate("cut off")
  end

  function self.close()
    mock:close()
  end

  return self
end

return M

-- Every queue has a limit, and at a limit things wait; they do not fail and do not stop each other.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

local GATED = [[
local gate = require("gate")
local journal = require("journal")

return function(event, context)
  journal.record(context, { what = "begin", n = event.n })
  if event.fails then
    error("as told")
  elseif event.gate then
    gate.wait(event.gate)
  end
  journal.record(context, { what = "end", n = event.n })
end
]]

local FLOOD = [[
local journal = require("journal")
local producer = require("lagoon").producer("narrow")

local function publish(n)
  producer:publish("Sent", { n = n }, { key = "k" })
end

return function(event)
  if event.how == "waits" then
    for n = 1, 500 do
      publish(n)
    end
  else
    -- Inside gsub the handler cannot yield.
    local n = 0
    ;("x"):rep(500):gsub("x", function()
      n = n + 1
      publish(n)
    end)
  end
  journal.note({ how = event.how })
end
]]

describe("at its limit", function()
  local broker, app, lagoon
  local topics = {}

  setup(function()
    broker = brokers.start()
    for name, partitions in pairs({ flood = 1, out = 1, window = 1, shares = 2, stopped = 2 }) do
      topics[name] = broker:new_topic(name, partitions)
    end
    local function consumer(name, handler)
      return { topic = topics[name], group = topics[name], workers = 1, buffer_size = 100,
        window = { records = 8 }, on_error = "stop",
        handlers = { Event = "handlers." .. handler } }
    end
    app = application.new(broker.brokers, {
      producers = { narrow = { topic = topics.out,
        properties = { ["queue.buffering.max.messages"] = 10 } } },
      consumers = {
        flood = consumer("flood", "flood"),
        window = consumer("window", "gated"),
        shares = consumer("shares", "gated"),
        stopped = consumer("stopped", "gated"),
      },
    }, { ["handlers/flood"] = FLOOD, ["handlers/gated"] = GATED })
    lagoon = app:start({ "run" })
    for _, name in ipairs({ "flood", "window", "shares", "stopped" }) do
      lagoon:wait_assigned(name)
    end
  end)

  local function produce(name, partition, records)
    broker:produce(topics[name], records,
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  ---Records of different keys.
  local function many(count, fields)
    local records = {}
    for n = 1, count do
      records[n] = { key = "key " .. n, value = ('{"n":%d%s}'):format(n, fields or "") }
    end
    return records
  end

  it("a producer's queue makes handlers wait, whether they can yield or not", function()
    for i, how in ipairs({ "waits", "blocks" }) do
      produce("flood", 0, { { key = "k", value = ('{"how":"%s"}'):format(how) } })
      app:wait_journal(1, { how = how })
      local records = broker:consume(topics.out, { count = 500 * i })
      for n = 1, 500 do
        assert.equal(('{"n":%d}'):format(n), records[500 * (i - 1) + n].value)
      end
    end
  end)

  it("the window lets no more records begin than it holds, and all in the end", function()
    produce("window", 0, many(50, ',"gate":"window"'))
    app:wait_journal(8, { topic = topics.window })
    app:open_gate("window")
    local entries = app:wait_journal(100, { topic = topics.window })
    local begun = 0
    for i, entry in ipairs(entries) do
      begun = begun + (entry.what == "begin" and 1 or -1)
      assert.is_true(begun <= 8)
      assert.is_true(i > 8 or entry.what == "begin")
    end
  end)

  it("a partition whose handlers wait leaves room for the others", function()
    produce("shares", 0, many(50, ',"gate":"shares"'))
    app:wait_journal(2, { topic = topics.shares })
    produce("shares", 1, many(50))
    app:wait_journal(50, { topic = topics.shares, partition = 1, what = "end" })
    app:open_gate("shares")
    app:wait_journal(50, { topic = topics.shares, partition = 0, what = "end" })
  end)

  it("a partition that was stopped leaves room for the others", function()
    local records = many(50)
    records[1].value = '{"fails":true}'
    produce("stopped", 0, records)
    lagoon:wait_log("^consumer stopped: a record failed")
    produce("stopped", 1, many(50))
    app:wait_journal(50, { topic = topics.stopped, partition = 1, what = "end" })
  end)
end)

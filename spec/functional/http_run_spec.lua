-- Handlers of a running program that wait for HTTP servers: at once, in order, to the end of their
-- time and of the process.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local http_server = require("spec.support.http_server")
local wait = require("spec.support.wait")

local ENVIRONMENT = { no_proxy = "*" }

-- Each tells its answer from that of another by its own id.
local ASKS = [[
local journal = require("journal")
local lagoon = require("lagoon")

return function(event, context)
  local id = context:id()
  journal.record(context, { what = "begin", n = event.n })
  local answer, reason = lagoon.http.request({ url = event.url, method = "POST", body = id })
  local is_own = answer and lagoon.json.decode(answer.body).body == id
  journal.record(context, { what = "end", n = event.n, is_own = is_own, reason = reason, id = id })
end
]]

describe("handlers that wait for HTTP servers", function()
  local server, broker, app, lagoon
  local topics = {}

  setup(function()
    server = http_server.start()
    broker = brokers.start()
    local consumers = {}
    local function add(name, options)
      topics[name] = broker:new_topic(name, 4)
      options.topic, options.group, options.workers = topics[name], topics[name], 2
      options.handlers = { Event = "handlers.asks" }
      consumers[name] = options
    end
    add("thousand", { distribution = "free_worker", buffer_size = 500 })
    add("ordered", { buffer_size = 100 })
    add("late", { handler_timeout = "200ms", on_error = "skip" })
    add("stopped", { handler_timeout = false })
    app = application.new(broker.brokers, { stop_timeout = "2s", consumers = consumers },
      { ["handlers/asks"] = ASKS })
    lagoon = app:start({ "run" }, { env = ENVIRONMENT })
    for name in pairs(topics) do
      lagoon:wait_assigned(name)
    end
  end)

  local function produce(name, count, path, key_count)
    local records = {}
    for n = 1, count do
      records[n] = { key = "k" .. n % (key_count or count),
        value = ('{"n":%d,"url":"%s%s"}'):format(n, server.url, path:gsub("N", n)) }
    end
    broker:produce(topics[name], records, { headers = { { "Message-Type", "Event" } } })
  end

  ---The journal once all have ended.
  local function entries_of(name, count)
    app:wait_journal(count, { topic = topics[name], what = "end" })
    return app:journal({ topic = topics[name] })
  end

  local function wait_running(count)
    wait.till(count .. " requests", 20000, function()
      local counts = server:counts()
      return counts.running == count, counts.running .. " run"
    end)
  end

  it("get each its own answer, a thousand at once over a hundred connections", function()
    produce("thousand", 1000, "/slow/20")
    local begun, most = 0, 0
    for _, entry in ipairs(entries_of("thousand", 1000)) do
      begun = begun + (entry.what == "begin" and 1 or -1)
      most = math.max(most, begun)
      assert(entry.what == "begin" or entry.is_own, entry.reason)
    end
    assert.is_true(most > 200)
    local counts = server:counts()
    assert.is_true(counts.most > 50 and counts.most <= 100, counts.most .. " at once")
    assert.is_true(counts.connections <= 100)
  end)

  it("keep the order of their key, whatever becomes of a request", function()
    produce("ordered", 400, "/flaky/N", 100)
    local last, running, failures = {}, {}, 0
    for _, entry in ipairs(entries_of("ordered", 400)) do
      if entry.what == "begin" then
        assert.is_nil(running[entry.key])
        assert.is_true(entry.n > (last[entry.key] or 0))
        running[entry.key], last[entry.key] = entry.n, entry.n
      else
        assert.equal(running[entry.key], entry.n)
        running[entry.key] = nil
        failures = failures + (entry.reason and 1 or 0)
        assert.is_true(entry.is_own or entry.reason:find("Connection reset by peer") ~= nil)
      end
    end
    assert.equal(4, failures)
  end)

  it("end with their time, and their requests with them", function()
    produce("late", 3, "/hang")
    local entry = lagoon:wait_log("^consumer late: a record is skipped$")
    assert.matches("^scripts/handlers/asks.lua:7: ended: it ran longer than 0.2 s", entry.reason)
    wait_running(0)
  end)

  it("are interrupted by a stop, and their requests with them", function()
    produce("stopped", 20, "/hang")
    wait_running(20)
    assert.equal(0, lagoon:stop())
    assert.equal(1, #lagoon:log("^consumer stopped: time is up for 20 handlers: interrupted"))
    wait_running(0)
  end)

  it("are no others than the scripts of exec", function()
    local asking = application.new(broker.brokers, { producers = { out = { topic = "out" } } }, {
      ["commands/ask"] = [[
local lagoon = require("lagoon")
local answer = assert(lagoon.http.request({ url = arg[1] .. "/status/202" }))
print(answer.status)
print(lagoon.http.request({ url = arg[1] .. "/hang" }))
]] })
    local run = asking:start({ "exec", "ask", server.url }, { env = ENVIRONMENT })
    run.process:wait_for("^202$", 20000)
    wait_running(1)
    assert.equal(5, run:stop())
    run:wait_log("^the stop ended scripts/commands/ask.lua:4 where it waited for an answer$")
    wait_running(0)
  end)
end)

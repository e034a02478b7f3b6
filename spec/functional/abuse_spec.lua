-- Who asks the admin server for what makes no sense, guesses, holds it up or asks for too much.

local json = require("cjson")

local abuse = require("spec.support.abuse")
local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local sanitizer = require("spec.support.sanitizer")
local threads = require("spec.support.threads")
local wait = require("spec.support.wait")

local TOKEN = "a-long-token"
local BEARER = { Authorization = "Bearer " .. TOKEN }
local LIVE_MS = 1000
local MAX_GROWTH = 10 * 1024 * 1024

local function assert_live(result)
  assert(result.live.asked > 0 and result.live.failed == 0, json.encode(result))
  assert(result.live.worst_ms < LIVE_MS * wait.patience, result.live.worst_ms)
end

describe("an admin server that is abused", function()
  local broker, app, run, url, before

  setup(function()
    broker = brokers.start()
    local topic = broker:new_topic("abuse", 2)
    app = application.new(broker.brokers, {
      admin = { token = TOKEN },
      producers = { orders = { topic = topic },
        strict = { topic = topic, key_field = "id", key_missing = "error" } },
      consumers = { orders = { topic = topic, group = topic, workers = 2, handler = "nothing" } },
    }, { nothing = "return function() end" })
    run = app:start({ "run", "--listen", "127.0.0.1:0" })
    url = admin.url_of(run)
    run:wait_assigned("orders")
    before = abuse.settings(url, TOKEN)
  end)

  local function play(kind, count)
    local seed = os.time() % 100000
    print(("abuse %s, seed %d"):format(kind, seed))
    local result = abuse.play(kind, url, { seed = seed, count = count, token = TOKEN })
    assert(run.process:is_running(), run.process:tail())
    assert_live(result)
    assert.same(before, abuse.settings(url, TOKEN))
    assert.same({}, run:log("^log level"))
    return result
  end

  it("bears requests that make no sense and slow clients, and changes nothing", function()
    play("fuzz", 1000)
    local resident = threads.resident_bytes(run.process.pid)
    local result = play("fuzz", 5000)
    for _, status in ipairs({ "200", "400", "401", "403", "404", "405", "413", "431" }) do
      assert(result.statuses[status], status .. " is missing in " .. json.encode(result))
    end
    assert.is_nil(result.statuses["500"])
    result = play("slow", 2)
    assert(result.connections > 500, json.encode(result))
    local growth = threads.resident_bytes(run.process.pid) - resident
    assert(sanitizer.owns_memory or growth < MAX_GROWTH, growth)
  end)

  it("lets nobody in with a wrong token, and does not say so each time", function()
    assert.same({ ["401"] = 1000 }, play("tokens", 1000).statuses)
    run:wait_log("^admin: %d+ requests? without the right token$")
    assert(#run:log("without the right token$") <= 2)
  end)

  it("lets no page of another site in, whatever token it has", function()
    assert.same({ ["403"] = 1000 }, play("sites", 1000).statuses)
    assert.equal(0, run:stop())
  end)
end)

describe("events over HTTP", function()
  local far, app, run, url, topic

  setup(function()
    far = brokers.start_embedded()
    topic = far:new_topic("events", 2)
    app = application.new(far.brokers, {
      admin = { token = TOKEN },
      producers = { orders = { topic = topic, key_field = "order_id" },
        narrow = { topic = topic, properties = { ["queue.buffering.max.messages"] = 5 } } },
    })
    run = app:start({ "run", "--only", "producers", "--listen", "127.0.0.1:0" })
    url = admin.url_of(run)
    run:wait_log("^producer orders is ready")
    run:wait_log("^producer narrow is ready")
  end)

  local function count()
    local sum = 0
    for _, offset in pairs(far:end_offsets(topic, 2)) do
      sum = sum + offset
    end
    return sum
  end

  it("are taken from 50 connections at a time, each one once", function()
    local result = abuse.play("publish", url, { seed = 1, count = 2000, token = TOKEN })
    assert.same({ ["200"] = 2000 }, result.statuses)
    assert_live(result)
    assert.equal(2000, count())
  end)

  local function post(path, body)
    local connection = admin.connect(url)
    connection:write(("POST /v1/producers/%s HTTP/1.1\r\nHost: localhost\r\n"):format(path)
      .. ("Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"):format(TOKEN, #body, body))
    return connection
  end

  it("that Kafka does not take are bounded, and so is the wait of others", function()
    local had = count()
    far.process:signal("sigstop")
    finally(function() far.process:signal("sigcont") end)
    local open = {}
    for i = 1, 6 do
      open[i] = post("narrow/Created", "{}")
    end
    local refused = wait.till("the one for which there is no room", 10000, function()
      for i, connection in ipairs(open) do
        if connection:answer() then
          return table.remove(open, i):answer()
        end
      end
    end)
    assert.same({ 503, "1" }, { refused.status, refused.headers["retry-after"] })
    assert.matches("queue is full", json.decode(refused.body).error)

    local crowd = {}
    for seed = 1, 2 do
      crowd[seed] = abuse.start("publish", url, { seed = seed, count = 100, token = TOKEN })
    end
    wait.till("more events than may wait", 20000, function()
      local answer = admin.ask(url, "POST", "/v1/producers/orders/Created",
        { body = "{", headers = BEARER })
      return answer.status == 503 and answer.headers["retry-after"] == "1", answer.body
    end)
    assert.same({ live = true }, admin.json(url, "GET", "/live"))
    assert.equal(200, admin.ask(url, "GET", "/metrics").status)
    -- Whoever goes away while it waits has its event written all the same.
    open[1]:close()
    far.process:signal("sigcont")
    local written, again = 5, 0
    for _, started in ipairs(crowd) do
      started:wait_exit(60000)
      local result = abuse.result(started)
      assert_live(result)
      assert.equal(0, result.silent)
      written, again = written + result.statuses["200"], again + (result.statuses["503"] or 0)
    end
    assert(again > 0)
    wait.till("all of them on the topic", 10000, function()
      return count() == had + written, ("%d of %d"):format(count() - had, written)
    end)
  end)

  it("that are too long are refused before they come, and take no memory", function()
    local resident = threads.resident_bytes(run.process.pid)
    local connection = admin.connect(url)
    connection:write(("POST /v1/producers/orders/A HTTP/1.1\r\nHost: localhost\r\n")
      .. ("Authorization: Bearer %s\r\nContent-Length: 104857600\r\n\r\n"):format(TOKEN))
    local answer = wait.till("an answer", 10000, function() return connection:answer() end)
    assert.same({ 413, "the body is longer than 1048576 bytes" },
      { answer.status, json.decode(answer.body).error })
    connection:close()

    local chunked = { headers = { Authorization = "Bearer " .. TOKEN,
      ["Transfer-Encoding"] = "chunked", ["Content-Length"] = false } }
    local piece = ("10000\r\n%s\r\n"):format(("x"):rep(0x10000))
    chunked.body = piece:rep(20) .. "0\r\n\r\n"
    assert.equal(413, admin.ask(url, "POST", "/v1/producers/orders/A", chunked).status)
    connection = post("orders/A", "")
    connection:close()
    local growth = threads.resident_bytes(run.process.pid) - resident
    assert(sanitizer.owns_memory or growth < MAX_GROWTH, growth)
    assert.equal(0, run:stop())
  end)
end)

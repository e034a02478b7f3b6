-- What the admin server answers, and to whom.

local json = require("cjson")

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local exposition = require("spec.support.exposition")
local ports = require("spec.support.port")
local wait = require("spec.support.wait")

local ANY = "127.0.0.1:0"

describe("the admin server", function()
  local broker, app, run, url, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("admin", 2)
    app = application.new(broker.brokers, {
      producers = { out = { topic = topic } },
      consumers = {
        c = { topic = topic, group = brokers.unique("admin"), workers = 2,
          commit_interval = "50ms", handlers = { Event = "handlers.fails_once" },
          on_error = { backoff = "10ms" }, properties = { ["statistics.interval.ms"] = "100" } },
      },
    }, { ["handlers/fails_once"] = [[
      local journal = require("journal")
      return function(event, context)
        journal.record(context)
        if event.fails and context.attempt == 1 then error("at first") end
      end
    ]] })
    run = app:start({ "run", "--listen", ANY })
    url = admin.url_of(run)
  end)

  teardown(function()
    assert.equal(0, run:stop())
  end)

  local function ready()
    local answer = admin.ask(url, "GET", "/ready")
    return answer.status, json.decode(answer.body)
  end

  local function metric(name, labels)
    local answer = admin.ask(url, "GET", "/metrics")
    assert.same({ 200, "text/plain; version=0.0.4; charset=utf-8" },
      { answer.status, answer.headers["content-type"] })
    return exposition.value(exposition.parse(answer.body), name, labels)
  end

  it("says that it lives at once, and that it is ready when its consumers are", function()
    assert.same({ live = true }, admin.json(url, "GET", "/live"))
    wait.till("ready", 20000, function()
      return ready() == 200
    end)
    assert.same({ ready = true, reasons = {} }, select(2, ready()))
    assert.equal(1, metric("lagoon_ready"))
  end)

  it("counts what happens", function()
    run:wait_assigned("c")
    broker:produce(topic, { { key = "a", value = '{"fails":true}' }, { key = "b", value = "{}" },
      { key = "c", value = "{}" } }, { headers = { { "Message-Type", "Event" } } })
    local of = { consumer = "c" }
    wait.till("three handled records in the metrics", 10000, function()
      return metric("lagoon_records_ended_total", { consumer = "c", outcome = "handled" }) == 3
    end)
    assert.equal(3, metric("lagoon_records_received_total", of))
    assert.equal(1, metric("lagoon_retries_total", of))
    assert.equal(1, metric("lagoon_errors_total", { consumer = "c", kind = "handler" }))
    assert.equal(0, metric("lagoon_errors_total", { consumer = "c", kind = "timeout" }))
    assert.equal(4, metric("lagoon_handler_duration_seconds_count", of))
    -- The pause before the second run is a wait, the two runs are not.
    assert.equal(3, metric("lagoon_record_wait_seconds_count", of))
    assert.is_true(metric("lagoon_record_wait_seconds_sum", of) > 0)
    assert.equal(2, metric("lagoon_workers", of))
    assert.equal(2, metric("lagoon_partitions_assigned", of))
    assert.equal(0, metric("lagoon_handlers_running", of))
    assert.is_true(metric("lagoon_lua_memory_bytes", of) > 20000)
    assert.is_true(metric("lagoon_commits_total", { consumer = "c", result = "done" }) > 0)
    assert.is_true(metric("process_resident_memory_bytes") > 1000000)
    assert.is_true(metric("process_open_fds") > 5)
    wait.till("no lag", 10000, function()
      local lag = 0
      for partition = 0, 1 do
        lag = lag + (metric("lagoon_lag_records",
          { consumer = "c", topic = topic, partition = tostring(partition) }) or 99)
      end
      return lag == 0
    end)
    assert.equal(0, metric("lagoon_lag_seconds",
      { consumer = "c", topic = topic, partition = "0" }))
  end)

  it("says what librdkafka does with each broker", function()
    local client = { role = "consumer", client = "c" }
    local parsed = wait.till("librdkafka's figures", 10000, function()
      local found = exposition.parse(admin.ask(url, "GET", "/metrics").body)
      local connected = found.families.lagoon_kafka_broker_connected
      for _, sample in ipairs(connected and connected.samples or {}) do
        if sample.labels.client == "c" and sample.value == 1
            and (exposition.value(found, "lagoon_kafka_received_bytes_total", client) or 0) > 0 then
          client.broker = sample.labels.broker
          return found
        end
      end
    end)
    assert.is_true(exposition.value(parsed, "lagoon_kafka_broker_rtt_average_seconds", client) < 60)
    assert.equal(0, exposition.value(parsed, "lagoon_kafka_request_timeouts_total", client))
    assert.equal(0, exposition.value(parsed, "lagoon_kafka_fetch_queue_bytes", { consumer = "c" }))
  end)

  it("gives the status that the verb gives", function()
    local status = admin.json(url, "GET", "/v1/status")
    local said = json.decode(app:run({ "status", "--json" }).process:stdout())
    assert.is_true(said.usage.cpu_ms >= status.usage.cpu_ms and status.usage.resident_bytes > 1e6)
    for _, name in ipairs({ "uptime_ms", "now", "usage" }) do
      status[name], said[name] = nil, nil
    end
    assert.same(said, status)
    assert.same({ 200, "" }, { admin.ask(url, "HEAD", "/v1/status").status,
      admin.ask(url, "HEAD", "/v1/status").body })
  end)

  it("lets operators change what the verbs change", function()
    assert.same({ consumer = "c", was_paused = false, partitions = {} },
      admin.json(url, "POST", "/v1/consumers/c/resume"))
    assert.same({ error = "there is no consumer 'd' in config.lua, did you mean 'c'?" },
      admin.json(url, "POST", "/v1/consumers/d/resume", {}, 404))
    assert.same({ error = '"partition" has to be a whole number from 0' },
      admin.json(url, "POST", "/v1/consumers/c/resume", { body = '{"partition":"x"}' }, 400))
    assert.matches("^topic nobody of consumer c is not assigned",
      admin.json(url, "POST", "/v1/consumers/c/resume", { body = '{"topic":"nobody"}' }, 409).error)
    local number = admin.json(url, "POST", "/v1/reload").reload
    wait.till("the end of the reload", 10000, function()
      return admin.json(url, "POST", "/v1/reload",
        { body = json.encode({ reload = number }) }).state == "unchanged"
    end)
    assert.matches("^there is nothing to go back to",
      admin.json(url, "POST", "/v1/rollback", {}, 409).error)
    assert.equal(1, metric("lagoon_reloads_total", { result = "unchanged" }))
  end)

  it("says what it does not understand", function()
    assert.same({ error = "there is no such path" }, admin.json(url, "GET", "/v1/nothing", {}, 404))
    assert.same({ error = "there is no such path" },
      admin.json(url, "GET", "/v1/consumers//resume", {}, 404))
    local answer = admin.ask(url, "DELETE", "/v1/status")
    assert.same({ 405, "GET, HEAD" }, { answer.status, answer.headers.allow })
    answer = admin.ask(url, "GET", "/v1/consumers/c/resume")
    assert.same({ 405, "POST" }, { answer.status, answer.headers.allow })
    assert.matches("^the request is not understood: byte 0: expected an object",
      admin.json(url, "POST", "/v1/reload", { body = "nonsense" }, 400).error)
    assert.same({ error = "the request is not understood: it has a NUL" },
      admin.json(url, "POST", "/v1/reload", { body = "{\0}" }, 400))
    assert.same({ error = 'the lagoon that runs does not understand "when"' },
      admin.json(url, "POST", "/v1/reload", { body = '{"when":1}' }, 400))
    assert.equal(413, admin.ask(url, "POST", "/v1/reload", { body = ("x"):rep(65537) }).status)
  end)

  it("is not for pages of other sites, nor under other names", function()
    for _, headers in ipairs({ { Host = "evil.example" }, { Origin = "http://evil.example" },
      { ["Sec-Fetch-Site"] = "cross-site" } }) do
      assert.equal(403, admin.ask(url, "GET", "/v1/status", { headers = headers }).status)
      assert.equal(403, admin.ask(url, "POST", "/v1/reload", { headers = headers }).status)
      assert.equal(200, admin.ask(url, "GET", "/live", { headers = headers }).status)
      assert.equal(200, admin.ask(url, "GET", "/metrics", { headers = headers }).status)
    end
  end)

  it("answers while others hold connections and ask nothing", function()
    local idle = {}
    for i = 1, 400 do
      idle[i] = admin.connect(url)
      idle[i]:write("GET /live HTTP/1.1\r\nX: ")
    end
    assert.same({ live = true }, admin.json(url, "GET", "/live"))
    assert.equal(2, #admin.json(url, "GET", "/v1/status").consumers[1].partitions)
    for _, connection in ipairs(idle) do
      connection:close()
    end
  end)
end)

describe("where the admin server listens", function()
  local broker, app

  setup(function()
    broker = brokers.start()
    app = application.new(broker.brokers, { producers = { out = { topic = "t" } } })
  end)

  it("is a matter of the flag, else of the variable, and none where it is false", function()
    local port = ports.free()
    local first = app:start({ "run", "--listen", "[::1]:" .. port },
      { env = { LAGOON_LISTEN = "nonsense" } })
    assert.equal(("http://[::1]:%d"):format(port), admin.url_of(first))
    assert.same({ live = true }, admin.json(("http://[::1]:%d"):format(port), "GET", "/live"))
    local second = app:run({ "run" }, { env = { LAGOON_LISTEN = "[::1]:" .. port } })
    assert.equal(3, second.process.code)
    assert.equal(("admin: http://[::1]:%d: Address already in use; --listen takes another "
      .. "address, or false for none"):format(port), second:log("^admin")[1].message)
    assert.equal(0, first:stop())
    assert.equal(3, app:run({ "run", "--listen", "here" }).process.code)
    local none = app:start({ "run", "--listen", "false" })
    none:wait_log("^memory: ")
    assert.equal(0, none:stop())
    assert.same({}, none:log("^admin"))
  end)

  it("may be a Unix socket, its owner's alone, in place of one that was left", function()
    local place = "unix:" .. app.folder .. "/admin.sock"
    local killed = app:start({ "run", "--listen", place })
    assert.equal(place, admin.url_of(killed))
    killed.process:signal("sigkill")
    killed.process:wait_exit(10000)
    local run = app:start({ "run", "--listen", place })
    assert.equal(place, admin.url_of(run))
    assert.equal("running", admin.json(place, "GET", "/v1/status").state:gsub("connecting",
      "running"))
    assert.equal(3, app:run({ "run", "--listen", place }).process.code)
    assert.same({ live = true }, admin.json(place, "GET", "/live"))
    assert.equal(0, run:stop())
    assert.is_nil(io.open(app.folder .. "/admin.sock"))
  end)

  it("is closed under /v1 to other machines without a token, and open to who shows it", function()
    local open = app:start({ "run", "--listen", "0.0.0.0:0" })
    local url = admin.url_of(open):gsub("0%.0%.0%.0", "127.0.0.1")
    assert.matches("without /v1: the config has no admin.token", open:log("^admin")[1].message)
    assert.matches("no admin.token", admin.json(url, "GET", "/v1/status", {}, 403).error)
    assert.same({ live = true }, admin.json(url, "GET", "/live"))
    assert.equal(0, open:stop())

    local run = app:start({ "run", "--listen", "0.0.0.0:0", "--set", "admin.token=s3cret" })
    url = admin.url_of(run):gsub("0%.0%.0%.0", "127.0.0.1")
    local function status(authorization)
      local answer = admin.ask(url, "GET", "/v1/status", { headers = { Host = "lagoon.svc",
        Authorization = authorization } })
      return answer.status, answer.headers["www-authenticate"]
    end
    assert.same({ 401, "Bearer" }, { status(false) })
    assert.same({ 401, "Bearer" }, { status("Bearer s3cres") })
    assert.same({ 200 }, { status("Bearer s3cret") })
    assert.equal(0, run:stop())
    local refused = 0
    for _, line in ipairs(run:log("^admin: %d+ requests? without the right token$")) do
      refused = refused + math.tointeger(tonumber(line.message:match("%d+")))
    end
    assert.equal(2, refused)
    assert.is_nil(run.process:stderr():find("s3cre", 1, true))
  end)
end)

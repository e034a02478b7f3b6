-- No secret shows, wherever it came from and whatever is asked: each one has a name of its own,
-- which is looked for in everything that lagoon writes.

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")
local json = require("cjson")
local process = require("spec.support.process")
local wait = require("spec.support.wait")

local CANARY = "c4n4ry"
local TOKEN = CANARY .. "-token"
local ENV = { LAGOON_LISTEN = "127.0.0.1:0", SPEC_PASSWORD = CANARY .. "-variable",
  SPEC_PROPERTY = CANARY .. "-env-in-config", SPEC_SCRIPT = CANARY .. "-script",
  SPEC_PASSWORD_FILE = false }

-- What a handler does with secrets when a service is away.
local CALLS = [[
local lagoon = require("lagoon")

local key = lagoon.secret("SPEC_SCRIPT")
local file = lagoon.secret("SPEC_FILE")

return function()
  local answer, why = lagoon.http.request({
    url = "http://user:c4n4ry-url@127.0.0.1:1/stock?key=" .. key,
    headers = { Authorization = "Bearer " .. file },
    body = key,
  })
  if not answer then
    error(why)
  end
end
]]

local CONFIG = [[
return {
  log = { level = "debug" },
  admin = { token = "c4n4ry-token" },
  stop_timeout = "5s",
  cluster = {
    brokers = "@BROKERS@",
    @CLUSTER@
    properties = {
      debug = "all",
      ["ssl.key.password"] = "c4n4ry-property",
      ["ssl.keystore.password"] = env("SPEC_PROPERTY"),
      @PROPERTIES@
    },
  },
  producers = { out = { topic = "@TOPIC@" } },
  consumers = {
    calls = { topic = "@TOPIC@", group = "@TOPIC@", handlers = { Event = "handlers.calls" },
      on_error = { retries = 1, backoff = "1ms" },
      properties = { ["session.timeout.ms"] = 4000, ["heartbeat.interval.ms"] = 500 } },
  },
}
]]

local function config(values)
  return (CONFIG:gsub("@(%u+)@", values))
end

-- Configs in which something is wrong at a secret, or beside it.
local REFUSED = {
  'cluster = { brokers = "a:1", sasl = { username = "u", password = "c4n4ry } }',
  'cluster = { brokers = "a:1", sasl = { username = "u", password = "c4n4ry\\q" } }',
  'cluster = { brokers = "a:1", sasl = { username = "u", password "c4n4ry" } }',
  'cluster = { brokers = "a:1", properties = { ["sasl.password"] "c4n4ry" } }',
  'cluster = { brokers = "a:1", properties = { ["ssl.key.password"] = { "c4n4ry" } } }',
  'cluster = { brokers = "a:1", sasl = { mechanism = "c4n4ry", password = "c4n4ry" } }',
  'cluster = { brokers = "a:1", sasl = { username = "u", pasword = "c4n4ry" } }',
  'cluster = { brokers = "a:1", sasl = { username = "u", password = { "c4n4ry" } } }',
  'cluster = { brokers = "a:1", sasl = { username = "u", password = { c4n4ry = 1 } } }',
  'cluster = { brokers = "a:1", sasl = "u:c4n4ry" }',
  'cluster = { brokers = "a:1", sasl = { password = secret("SPEC_PASSWORD") .. nil } }',
  'cluster = { brokers = "a:1", sasl = { password = secret("SPEC_PASSWORD")() } }',
  'cluster = { brokers = "a:1", sasl = error(secret("SPEC_PASSWORD")) }',
  'cluster = { brokers = "kafka://u:c4n4ry@a:1" }',
  'cluster = { brokers = { "b:1", "u:c4n4ry@a:1" } }',
  'cluster = { brokers = "a:1" }, admin = { token = "c4n4ry } }',
  'cluster = { brokers = "a:1" }, admin = { token = { "c4n4ry" } }',
  'cluster = { brokers = "a:1" }, admin = "c4n4ry"',
}

describe("a secret", function()
  local broker
  local texts = {}

  -- What was written by what, to be searched when all is done.
  local function keep(what, text)
    table.insert(texts, { what = what, text = text })
  end

  local function keep_output(run)
    keep(run.process.name .. ", output", run.process:stdout())
    keep(run.process.name .. ", log", run.process:stderr())
  end

  local function run(app, arguments, input)
    local started = app:run(arguments, { env = ENV, input = input })
    keep_output(started)
    return started
  end

  local function new_app(values)
    values.TOPIC = broker:new_topic("secrets", 1)
    values.BROKERS = broker.brokers
    local app = application.new(broker.brokers, config(values), { ["handlers/calls"] = CALLS,
      ["commands/fails"] = 'error("it fails " .. #require("lagoon").secret("SPEC_FILE"))' })
    ENV.SPEC_FILE_FILE = directory.write(directory.new() .. "/secret", CANARY .. "-file\n")
    app.topic = values.TOPIC
    return app
  end

  local function assert_nowhere()
    for _, kept in ipairs(texts) do
      local at = kept.text:find(CANARY, 1, true)
      assert(not at, at and ("%s: ...%s..."):format(kept.what,
        kept.text:sub(math.max(1, at - 200), at + 40)))
    end
    assert.is_true(#texts > 0)
  end

  before_each(function()
    texts = {}
  end)

  -- All files below the folder but those that the spec wrote itself.
  local function keep_files(app)
    local listed = process.run({ "find", app.folder, "-type", "f", "-not", "-name", "*.lua" })
    for path in listed:stdout():gmatch("[^\n]+") do
      keep(path, directory.read(path))
    end
  end

  setup(function()
    broker = brokers.start_embedded()
  end)

  it("shows in no sentence about a config that is wrong", function()
    local app = new_app({ CLUSTER = "", PROPERTIES = "" })
    for _, text in ipairs(REFUSED) do
      app:write_config("return { " .. text .. " }\n")
      assert(run(app, { "check" }).process.code ~= 0, text)
    end
    for _, setting in ipairs({ "cluster.sasl.password=c4n4ry", "cluster.sasl.passwort=c4n4ry",
      "cluster.sasl=c4n4ry", "cluster.properties.ssl.key.password=c4n4ry",
      "admin.token.x=c4n4ry" }) do
      run(app, { "check", "--set", setting })
    end
    assert_nowhere()
  end)

  it("shows nowhere while a login fails", function()
    local app = new_app({ PROPERTIES = "", CLUSTER = [[sasl = { mechanism = "SCRAM-SHA-512",
      username = "u", password = secret("SPEC_PASSWORD") },]] })
    local started = app:start({ "run" }, { env = ENV })
    run(app, { "check", "--connect", "--timeout", "2s" })
    started:wait_log("refuses the login")
    for _, verb in ipairs({ { "status" }, { "status", "--json" }, { "health" },
      { "publish", "out", "Event", "--timeout", "1s" } }) do
      run(app, verb, "{}\n")
    end
    started:stop()
    keep_output(started)
    assert_nowhere()
  end)

  it("shows in nothing that a process at work says, writes or answers", function()
    local app = new_app({ CLUSTER = "",
      PROPERTIES = '["sasl.password"] = secret("SPEC_PASSWORD"),' })
    local started = app:start({ "run" }, { env = ENV })
    local url = admin.url_of(started)
    started:wait_assigned("calls")
    broker:produce(app.topic, { { key = "k", value = '{"n":1}' } },
      { headers = { { "Message-Type", "Event" } } })
    started:wait_log("a record is given up")
    local letters = ("%s.%s.dead-letter"):format(app.topic, app.topic)
    keep("the dead letter", json.encode(broker:consume(letters, { count = 1 })))

    for _, verb in ipairs({ { "check" }, { "status" }, { "status", "--json" }, { "health" },
      { "pause", "calls" }, { "resume", "calls" }, { "workers", "calls", "1", "--for", "1m" },
      { "seek", "calls", "--to", "end", "--dry-run" }, { "log-level", "debug" }, { "rollback" },
      { "handle", "calls", "Event" }, { "exec", "fails" }, { "exec", "nothing" },
      { "help", "exec" }, { "dead-letters", "calls" }, { "dead-letters", "calls", "show" },
      { "publish", "out", "Event" }, { "publish", "nobody", "Event" }, { "version" } }) do
      run(app, verb, "{}\n")
    end
    for _, path in ipairs({ "/metrics", "/ready", "/live", "/v1/status", "/v1/nothing" }) do
      for _, token in ipairs({ TOKEN, TOKEN .. "r" }) do
        local answer = admin.ask(url, "GET", path,
          { headers = { Authorization = "Bearer " .. token } })
        keep(path, answer.body .. json.encode(answer.headers))
      end
    end
    -- Each of them is a reload that is refused, and then the reason in the status.
    for _, text in ipairs({ REFUSED[1], REFUSED[4], REFUSED[13], REFUSED[14] }) do
      app:write_config("return { " .. text .. " }\n")
      run(app, { "reload" })
      run(app, { "status" })
    end
    keep("/v1/status", admin.ask(url, "GET", "/v1/status",
      { headers = { Authorization = "Bearer " .. TOKEN } }).body)
    started.process:signal("sigabrt")
    started.process:wait_exit()
    keep_output(started)
    keep_files(app)
    wait.till("librdkafka's own talk", 1000, function()
      return #started:log("^librdkafka: ") > 20
    end)
    assert_nowhere()
  end)
end)

-- TLS and logins against a real Kafka: everything goes over the secured connection, the topics'
-- creation, the group, records in and out.

local application = require("spec.support.application")
local broker = require("spec.support.broker")
local secure = require("spec.support.kafka_secure")
local unit = require("unit")
local wait = require("spec.support.wait")

-- Longer than a broker's restart takes, which costs nobody his partitions.
local SESSION_MS = 30000

local ECHO = [[
local echo = require("lagoon").producer("echo")
return function(event, context)
  echo:publish("Event", event, { key = context.key })
end
]]

describe("On Kafka a client is let in", function()
  local rig

  setup(function()
    rig = secure.shared()
  end)

  local function start(listener, cluster)
    cluster.brokers = rig.listeners[listener]
    local topic, echo = broker.unique("secured"), broker.unique("echo")
    local app = application.new(nil, {
      cluster = cluster,
      topics = { [topic] = { partitions = 1 }, [echo] = { partitions = 1 } },
      producers = { echo = { topic = echo } },
      consumers = {
        reader = { topic = topic, group = topic, handlers = { Event = "handlers.echo" },
          properties = { ["session.timeout.ms"] = SESSION_MS } },
      },
    }, { ["handlers/echo"] = ECHO })
    local lagoon = app:start({ "run" })
    lagoon:wait_assigned("reader")
    return lagoon, topic, echo
  end

  ---A record that goes in by the plain listener comes out as the echo's n-th.
  local function check_echo(topic, echo, n)
    assert(unit.kafka.produce(rig.brokers, topic, { key = "k", value = '{"n":1}',
      headers = { { "Message-Type", "Event" } } }))
    wait.till("the echo", 30000, function()
      local _, high = unit.kafka.watermarks(rig.brokers, echo, 0)
      return high == n, high
    end)
  end

  local function check(listener, cluster)
    local lagoon, topic, echo = start(listener, cluster)
    check_echo(topic, echo, 1)
    assert.equal(0, lagoon:stop())
    assert.same({}, lagoon:log(nil, { level = "warn" }))
    assert.same({}, lagoon:log(nil, { level = "error" }))
  end

  it("by TLS with the authority's certificate", function()
    check("TLS", { tls = { ca_file = rig.ca } })
  end)

  it("by TLS with a certificate of its own, whose key needs a password", function()
    check("MUTUAL", { tls = { ca_file = rig.ca, cert_file = rig.client.certificate,
      key_file = rig.client.key, key_password = secure.KEY_PASSWORD } })
  end)

  it("by TLS that takes any certificate, with verify = false", function()
    check("EXPIRED", { tls = { verify = false } })
  end)

  it("by PLAIN over TLS", function()
    check("LOGIN", { tls = { ca_file = rig.ca }, sasl = secure.login("PLAIN") })
  end)

  it("by PLAIN over TLS as librdkafka's properties say it", function()
    check("LOGIN", { properties = { ["security.protocol"] = "SASL_SSL",
      ["ssl.ca.location"] = rig.ca, ["sasl.mechanism"] = "PLAIN", ["sasl.username"] = "alice",
      ["sasl.password"] = secure.PASSWORD } })
  end)

  for listener, mechanism in pairs({ LOGIN = "SCRAM-SHA-512", SCRAM = "SCRAM-SHA-256" }) do
    it("by " .. mechanism .. " over TLS", function()
      local trouble = secure.scram_trouble()
      if trouble then
        pending(trouble)
      end
      check(listener, { tls = { ca_file = rig.ca }, sasl = secure.login(mechanism) })
    end)
  end

  it("by SCRAM-SHA-512 without TLS", function()
    local trouble = secure.scram_trouble()
    if trouble then
      pending(trouble)
    end
    check("CLEAR", { sasl = secure.login("SCRAM-SHA-512") })
  end)

  it("by PLAIN without TLS, which has to be said in librdkafka's properties", function()
    check("CLEAR", { properties = { ["security.protocol"] = "SASL_PLAINTEXT",
      ["sasl.mechanism"] = "PLAIN", ["sasl.username"] = "alice",
      ["sasl.password"] = secure.PASSWORD } })
  end)

  it("by TLS again after its broker was killed and restarted", function()
    local lagoon, topic, echo = start("TLS", { tls = { ca_file = rig.ca } })
    check_echo(topic, echo, 1)
    rig.kafka.nodes[1]:kill()
    rig.kafka.nodes[1]:start()
    rig.kafka:wait_ready()
    check_echo(topic, echo, 2)
    lagoon:wait_log("^the broker at [%d.:]+ closed the connection$")
    assert.same({}, lagoon:log("SSL routines"))
    assert.equal(0, lagoon:stop())
  end)
end)

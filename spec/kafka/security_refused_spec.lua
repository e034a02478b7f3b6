-- A real Kafka that cannot be used for a reason of TLS or login: the reason is said in plain words.

local application = require("spec.support.application")
local secure = require("spec.support.kafka_secure")

local WRONG_PASSWORD = "alice's secret, mistyped"
local REFUSED = "the broker at @ refuses the login: the username or the password is wrong"
local UNTRUSTED = "no TLS connection to @: the broker's certificate is signed by nobody who is "
  .. "trusted here; see ca_file of tls"

-- The listener, how it is asked, and what is said of it: @ is its address.
local CASES = {
  ["a certificate has expired"] = { "EXPIRED", { tls = "ca" },
    "no TLS connection to @: the broker's certificate has expired" },
  ["a certificate is for another host"] = { "STRANGER", { tls = "ca" },
    "no TLS connection to @: the broker's certificate is not for 127.0.0.1; brokers and "
    .. "advertised.listeners have to say a name that it holds" },
  ["another authority signed a certificate than ca_file holds"] = { "TLS", { tls = "other_ca" },
    UNTRUSTED },
  ["none of the system's authorities signed a certificate"] = { "TLS", { tls = true }, UNTRUSTED },
  ["Kafka wants a certificate of the client"] = { "MUTUAL", { tls = "ca" },
    "the broker at @ does not take this client's certificate, or misses one (bad certificate); "
    .. "see cert_file and key_file of tls" },
  ["a password is wrong, by PLAIN"] = { "LOGIN", { tls = "ca",
    sasl = secure.login("PLAIN", { password = WRONG_PASSWORD }) }, REFUSED },
  ["a password is wrong, by SCRAM"] = { "LOGIN", { tls = "ca",
    sasl = secure.login("SCRAM-SHA-512", { password = WRONG_PASSWORD }) }, REFUSED, "SCRAM" },
  ["a user is unknown"] = { "LOGIN", { tls = "ca",
    sasl = secure.login("PLAIN", { username = "carol" }) }, REFUSED },
  ["Kafka does not take a login that way"] = { "SCRAM", { tls = "ca",
    sasl = secure.login("PLAIN") },
    "the broker at @ does not take a login by PLAIN; it takes SCRAM-SHA-256", "SCRAM" },
  ["Kafka wants no login"] = { "TLS", { tls = "ca", sasl = secure.login("PLAIN") },
    "the broker at @ takes no login here, see sasl" },
  ["Kafka wants a login"] = { "LOGIN", { tls = "ca" },
    "the broker at @ closed the connection; perhaps it wants a login, see sasl" },
  ["Kafka wants TLS"] = { "TLS", {},
    "the broker at @ closed the connection; perhaps it wants TLS, see tls" },
  ["Kafka wants TLS for a login"] = { "LOGIN", { sasl = secure.login("SCRAM-SHA-512") },
    "the broker at @ closed the connection; perhaps it wants TLS, see tls" },
  ["Kafka's listener is without TLS"] = { "PLAINTEXT", { tls = "ca" },
    "no TLS connection to @: the broker closed it; perhaps this port is without TLS" },
}

describe("On Kafka a client that is not let in is told", function()
  local rig, scram_trouble
  local started = {}

  local function prepare(case)
    local listener, cluster = case[1], {}
    cluster.brokers = rig.listeners[listener] or rig.brokers
    cluster.tls, cluster.sasl = case[2].tls, case[2].sasl
    if type(cluster.tls) == "string" then
      cluster.tls = { ca_file = rig[cluster.tls] }
    end
    local app = application.new(nil, { cluster = cluster, producers = { out = { topic = "t" } } })
    return app, cluster.brokers
  end

  local function sentence_of(case, address)
    local note = case[4] and scram_trouble and " (" .. scram_trouble .. ")" or ""
    return (case[3]:gsub("@", (address:gsub("%%", "%%%%")))) .. note
  end

  -- They are told after a second, so all wait at once.
  setup(function()
    rig, scram_trouble = secure.shared(), secure.scram_trouble()
    for name, case in pairs(CASES) do
      local app, address = prepare(case)
      started[name] = { run = app:start({ "run" }), address = address }
    end
  end)

  teardown(function()
    for _, one in pairs(started) do
      one.run.process:signal("sigkill")
    end
  end)

  for name, case in pairs(CASES) do
    it("that " .. name, function()
      local run, address = started[name].run, started[name].address
      -- The first one may come before librdkafka knows the cause.
      local told = ("waiting for Kafka at %s: %s"):format(address, sentence_of(case, address))
      run:wait_log("^" .. told:gsub("%p", "%%%0") .. "$")
      for _, password in ipairs({ secure.PASSWORD, WRONG_PASSWORD }) do
        assert.is_nil(run.process:stdout():find(password, 1, true))
        assert.is_nil(run.process:stderr():find(password, 1, true))
      end
    end)
  end

  for _, name in ipairs({ "a certificate has expired", "a password is wrong, by PLAIN" }) do
    it("at once by `lagoon check --connect`, when " .. name, function()
      local app, address = prepare(CASES[name])
      local check = app:run({ "check", "--connect" }, nil, 10000).process
      assert.equal(4, check.code)
      assert.equal(("Kafka at %s cannot be asked: %s\n"):format(address,
        sentence_of(CASES[name], address)), check:stderr())
    end)
  end
end)

-- A Kafka that lets in whom it knows: listeners with TLS, with certificates that are no good, with
-- logins; users with and without rights. Its plain listener is for the spec's own tools.

local certificates = require("spec.support.certificates")
local kafka = require("spec.support.kafka")
local lagoon = require("spec.support.lagoon")
local scope = require("spec.support.scope")

local M = {}

M.PASSWORD = "alice's secret"
M.KEY_PASSWORD = "open sesame"

local LISTENERS = {
  TLS = "SSL", -- all is right
  EXPIRED = "SSL", -- the certificate is over
  STRANGER = "SSL", -- it is for another host
  MUTUAL = "SSL", -- clients have to show one too
  LOGIN = "SASL_SSL", -- PLAIN and SCRAM-SHA-512
  SCRAM = "SASL_SSL", -- SCRAM-SHA-256 only
  CLEAR = "SASL_PLAINTEXT", -- PLAIN and SCRAM-SHA-512, without TLS
}

-- alice may do everything, bob only what an entry says.
local SETTINGS = [[
ssl.keystore.type=PEM
ssl.keystore.location=@GOOD@
ssl.truststore.type=PEM
ssl.truststore.location=@CA@
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location=@EXPIRED@
listener.name.stranger.ssl.keystore.type=PEM
listener.name.stranger.ssl.keystore.location=@STRANGER@
listener.name.mutual.ssl.client.auth=required
@LOGIN@listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.scram.scram-sha-256.sasl.jaas.config=@MODULE@.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:CN=client;User:alice
]]

-- Of a listener that takes PLAIN and SCRAM-SHA-512.
local LOGIN = [[
listener.name.@NAME@.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.@NAME@.plain.sasl.jaas.config=@MODULE@.plain.PlainLoginModule required \
  user_alice="@PASSWORD@" user_bob="@PASSWORD@";
listener.name.@NAME@.scram-sha-512.sasl.jaas.config=@MODULE@.scram.ScramLoginModule required;
]]

local function fill(text, values)
  return (text:gsub("@(%u+)@", values))
end

---@class spec.SecureKafka
---@field kafka spec.Kafka
---@field brokers string of the plain listener
---@field listeners table<string, string> addresses by name
---@field ca string path of the certificate that signed the brokers'
---@field other_ca string path of one that did not
---@field client spec.Certificate that the brokers trust; its key needs KEY_PASSWORD

local function start()
  local authority = certificates.new("lagoon-spec")
  local loopback = { names = "IP:127.0.0.1,DNS:localhost" }
  local values = {
    CA = authority.ca,
    GOOD = authority:sign("good", loopback).both,
    STRANGER = authority:sign("stranger", { names = "DNS:kafka.example" }).both,
    EXPIRED = authority:sign("expired", { names = loopback.names, from = "20200101000000Z",
      to = "20200201000000Z" }).both,
    MODULE = "org.apache.kafka.common.security",
    PASSWORD = M.PASSWORD,
  }
  values.LOGIN = fill(LOGIN:gsub("@NAME@", "login") .. LOGIN:gsub("@NAME@", "clear"), values)
  local user = "[name=alice,password=" .. M.PASSWORD .. "]"
  local started = kafka.start({ listeners = LISTENERS, settings = fill(SETTINGS, values),
    users = { "SCRAM-SHA-256=" .. user, "SCRAM-SHA-512=" .. user } })
  return {
    kafka = started,
    brokers = started.brokers,
    listeners = started.nodes[1].listeners,
    ca = authority.ca,
    other_ca = certificates.new("nobody").ca,
    client = authority:sign("client", { password = M.KEY_PASSWORD }),
  }
end

local shared

---The one of this run, started when it is first asked for.
---@return spec.SecureKafka
function M.shared()
  if not shared then
    shared = scope.at_end(start)
  end
  return shared
end

---A login of alice, in the words of the config.
---@param mechanism string
---@param changes? table<string, string>
---@return table sasl
function M.login(mechanism, changes)
  local sasl = { mechanism = mechanism, username = "alice", password = M.PASSWORD }
  for name, value in pairs(changes or {}) do
    sasl[name] = value
  end
  return sasl
end

---Why the program's librdkafka cannot log in by SCRAM; nil when it can.
---@return string?
function M.scram_trouble()
  local version = lagoon.run({ "version" }):stdout():match("librdkafka ([%d.]+)")
  local major, minor, patch = version:match("^(%d+)%.(%d+)%.(%d+)")
  if (major * 1000 + minor) * 1000 + patch < 2006001 then
    return ("librdkafka %s cannot log in to Kafka 4 by SCRAM, 2.6.1 and later can"):format(version)
  end
end

return M

-- The keys of a cluster: where it is, and how to get in.

local security = require("lagoon.config.security")

local M = {}

---@type lagoon.config.Row
M.properties = {
  key = "properties", type = "map", names = "name", of = { type = "property" },
  check = security.properties,
  doc = "librdkafka properties, passed through; the inner table wins",
  example = '["socket.timeout.ms"] = 10000',
}

local tls = {
  { key = "ca_file", type = "file", also = { "ca", "truststore" }, default_doc = "the system's",
    doc = "who signs the brokers' certificates" },
  { key = "cert_file", type = "file", also = { "cert", "certificate" }, default_doc = "none",
    doc = "the certificate that this client shows" },
  { key = "key_file", type = "file", also = { "key" }, default_doc = "none",
    doc = "its private key" },
  { key = "key_password", type = "text", secret = true, default_doc = "none",
    doc = "opens the private key" },
  { key = "verify", type = "boolean", default = true,
    doc = "`false` takes any certificate, and so anybody for the broker" },
}

local sasl = {
  { key = "mechanism", type = "enum", values = security.MECHANISMS, required = true,
    doc = "how the login is proved; others go by `properties`" },
  { key = "username", type = "text", required = true, also = { "user" }, doc = "who logs in" },
  { key = "password", type = "text", required = true, secret = true, doc = "never printed" },
}

---@type lagoon.config.Row[]
M.fields = {
  { key = "brokers", type = "brokers", required = true,
    also = { "bootstrap_servers", "bootstrap.servers", "servers", "hosts", "broker" },
    doc = '`"host:9092"`, several separated by commas or in a list' },
  { key = "tls", type = "record", fields = tls, default = false, check = security.tls,
    also = { "ssl" },
    short = { type = "boolean", of = "boolean", must = "true, false or a table",
      expand = security.plain_tls },
    doc = "encrypts the connections; `true` is a table without keys" },
  { key = "sasl", type = "record", fields = sasl, default = false, secret = true,
    short = { type = "boolean", of = "boolean", must = "a table, or false for none",
      expand = security.no_sasl },
    doc = "logs in" },
  M.properties,
}

return M

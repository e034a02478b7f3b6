local cluster = require("unit").cluster
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")

local CERTIFICATE = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
local KEY = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nYWJj\n-----END ENCRYPTED PRIVATE KEY-----\n"
local FILES = { ["ca.pem"] = CERTIFICATE, ["chain.pem"] = CERTIFICATE, ["locked.pem"] = KEY }

-- The good config with this beside its brokers, on line 2.
local function with(text)
  return config_file.good_but('brokers = "localhost:9092"', 'brokers = "localhost:9092", ' .. text)
end

local LOGIN = 'username = "u", password = "hunter2" }'
local PLAIN = 'sasl = { mechanism = "PLAIN", ' .. LOGIN

describe("cluster security", function()
  it("becomes librdkafka's properties, on every handle", function()
    local function value(text, property, is_embedded)
      local folder = directory.with(FILES)
      local path = directory.write(folder .. "/config.lua", with(text))
      local values = {}
      for i, handle in ipairs({ "producer", "consumer", "query" }) do
        values[i] = cluster.value(path, handle, property, is_embedded) or ""
      end
      assert.same({ values[1], values[1], values[1] }, values)
      return (values[1]:gsub("^" .. folder:gsub("%p", "%%%0") .. "/", ""))
    end
    local scram = 'sasl = { mechanism = "SCRAM-SHA-256", ' .. LOGIN
    assert.equal("plaintext", value("", "security.protocol"))
    assert.equal("ssl", value("tls = true", "security.protocol"))
    assert.equal("sasl_plaintext", value(scram, "security.protocol"))
    assert.equal("sasl_ssl", value("tls = true, " .. PLAIN, "security.protocol"))
    assert.equal("plaintext", value("tls = true, " .. PLAIN, "security.protocol", true))
    local all = scram .. ', tls = { ca_file = "ca.pem", cert_file = "chain.pem", ' ..
      'key_file = "locked.pem", key_password = "sesame" }'
    for property, expected in pairs({
      ["sasl.mechanisms"] = "SCRAM-SHA-256", ["sasl.username"] = "u",
      ["sasl.password"] = "hunter2", ["ssl.ca.location"] = "ca.pem",
      ["ssl.certificate.location"] = "chain.pem", ["ssl.key.location"] = "locked.pem",
      ["ssl.key.password"] = "sesame", ["enable.ssl.certificate.verification"] = "true",
      ["ssl.endpoint.identification.algorithm"] = "https",
    }) do
      assert.equal(expected, value(all, property))
    end
    assert.equal("false", value("tls = { verify = false }", "enable.ssl.certificate.verification"))
    assert.equal("none", value("tls = { verify = false }", "ssl.endpoint.identification.algorithm"))
  end)

  it("names the file that OpenSSL refuses", function()
    local path = directory.with(FILES)
    local source = with('\n tls = { ca_file = "ca.pem" }')
    local lines = cluster.check(directory.write(path .. "/config.lua", source))
    local message = "%s/config.lua:3: cluster.tls.ca_file: %s/ca.pem: is damaged"
    assert.same({ message:format(path, path) }, lines)
  end)
end)

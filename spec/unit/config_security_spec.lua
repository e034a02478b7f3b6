local config = require("unit").config
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")

local function pem(what, extra)
  return ("-----BEGIN %s-----\n%sYWJj\n-----END %s-----\n"):format(what, extra or "", what)
end

local FILES = {
  ["ca.pem"] = pem("CERTIFICATE"),
  ["chain.pem"] = "subject=x\n" .. pem("CERTIFICATE") .. pem("CERTIFICATE"),
  ["key.pem"] = pem("RSA PRIVATE KEY"),
  ["locked.pem"] = pem("ENCRYPTED PRIVATE KEY"),
  ["old.pem"] = pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\n"),
  ["der.pem"] = "\48\130\1\0",
}

-- The good config with this beside its brokers, on line 2.
local function with(text)
  return config_file.good_but('brokers = "localhost:9092"', 'brokers = "localhost:9092", ' .. text)
end

local function good(text)
  return config_file.good(with(text), { files = FILES }).clusters[1]
end

local function problems(text, options)
  return config_file.problems(with(text), options or { files = FILES })
end

local function assert_problems(cases)
  for _, case in ipairs(cases) do
    assert.same(type(case[2]) == "table" and case[2] or { case[2] }, problems(case[1]))
  end
end

local LOGIN = 'username = "u", password = "hunter2" }'
local PLAIN = 'sasl = { mechanism = "PLAIN", ' .. LOGIN
local NO_CERTIFICATE =
  ": holds no certificate in PEM form, a block that starts with -----BEGIN CERTIFICATE-----"

describe("config security", function()
  it("is off until it is asked for", function()
    for _, text in ipairs({ "", "tls = false, sasl = false", 'tls = env("LAGOON_SPEC", false)' }) do
      assert.is_nil(good(text).tls)
      assert.is_nil(good(text).sasl)
    end
  end)

  it("is read with its defaults, paths relative to the config", function()
    assert.same({ verify = true }, good("tls = true").tls)
    assert.same({ verify = true }, good("tls = {}").tls)
    local tls = good([[tls = { ca_file = "chain.pem", cert_file = "ca.pem", key_file = "locked.pem",
      key_password = "sesame", verify = false }]]).tls
    assert.is_truthy(tls.ca_file:find("^/.*/chain%.pem$"))
    assert.is_truthy(tls.key_file:find("^/.*/locked%.pem$"))
    assert.equal("sesame", tls.key_password)
    assert.is_false(tls.verify)
    assert.same({ "config.lua:3: cluster.tls.verify: anybody may pose as the broker" },
      config_file.good(with("tls = {\nverify = false }")).notices)
    assert.same({ mechanism = "PLAIN", username = "u", password = "hunter2" },
      good("tls = true, " .. PLAIN).sasl)
  end)

  it("takes paths from where they stand", function()
    local files = { ["a/tls.lua"] = 'return { ca_file = "ca.pem" }',
      ["a/ca.pem"] = FILES["ca.pem"] }
    local loaded = config_file.good(with('tls = include("a/tls.lua")'), { files = files })
    assert.is_truthy(loaded.clusters[1].tls.ca_file:find("/a/ca.pem", 1, true))
    assert.same({ "--set cluster.tls.ca_file: config.lua: holds no certificate in PEM form, " ..
      "a block that starts with -----BEGIN CERTIFICATE-----" },
      config_file.problems(with("tls = true"), { sets = { "cluster.tls.ca_file=config.lua" } }))
  end)

  it("looks into the files before a broker is asked", function()
    assert_problems({
      { 'tls = { ca_file = "none.pem" }',
        "config.lua:2: cluster.tls.ca_file: none.pem: No such file or directory" },
      { 'tls = { ca_file = "." }', "config.lua:2: cluster.tls.ca_file: .: Is a directory" },
      { 'tls = { ca_file = "key.pem" }',
        "config.lua:2: cluster.tls.ca_file: key.pem" .. NO_CERTIFICATE },
      { 'tls = { ca_file = "der.pem" }',
        "config.lua:2: cluster.tls.ca_file: der.pem" .. NO_CERTIFICATE },
      { 'tls = { cert_file = "ca.pem", key_file = "ca.pem" }',
        "config.lua:2: cluster.tls.key_file: ca.pem: holds no private key in PEM form, " ..
        "a block that starts with -----BEGIN PRIVATE KEY-----" },
      { 'tls = { cert_file = "ca.pem", key_file = "locked.pem" }',
        "config.lua:2: cluster.tls.key_file: locked.pem: is encrypted and needs key_password" },
      { 'tls = { cert_file = "ca.pem", key_file = "old.pem" }',
        "config.lua:2: cluster.tls.key_file: old.pem: is encrypted and needs key_password" },
      { 'tls = { cert_file = "ca.pem" }',
        "config.lua:2: cluster.tls.cert_file: needs key_file beside it" },
      { 'tls = { key_file = "key.pem" }',
        "config.lua:2: cluster.tls.key_file: needs cert_file beside it" },
      { 'tls = { key_password = "x" }',
        "config.lua:2: cluster.tls.key_password: needs key_file beside it" },
      { 'tls = { ca_file = true }',
        "config.lua:2: cluster.tls.ca_file: must be the path of a file, got true" },
      { 'tls = { ca_file = env("LAGOON_SPEC_NONE") }',
        'config.lua:2: env("LAGOON_SPEC_NONE"): the variable is not set' },
      { 'tls = "on"', 'config.lua:2: cluster.tls: must be true, false or a table, got "on"' },
    })
  end)

  it("knows the mechanisms, and what each needs", function()
    local must = 'must be "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512", got '
    assert_problems({
      { 'sasl = { mechanism = "scram-sha512", ' .. LOGIN, "config.lua:2: cluster.sasl.mechanism: "
        .. must .. "\"scram-sha512\", did you mean 'SCRAM-SHA-512'?" },
      { 'sasl = { mechanism = "GSSAPI", ' .. LOGIN,
        "config.lua:2: cluster.sasl.mechanism: " .. must .. '"GSSAPI"' },
      { PLAIN, "config.lua:2: cluster.sasl.mechanism: PLAIN sends the password in the clear, " ..
        "set tls of the cluster too or take SCRAM-SHA-512" },
      { 'tls = false, ' .. PLAIN, "config.lua:2: cluster.sasl.mechanism: PLAIN sends the password "
        .. "in the clear, set tls of the cluster too or take SCRAM-SHA-512" },
      { "sasl = {}", { "config.lua:2: cluster.sasl.mechanism: is missing",
        "config.lua:2: cluster.sasl.username: is missing",
        "config.lua:2: cluster.sasl.password: is missing" } },
      { "sasl = true", "config.lua:2: cluster.sasl: needs a table such as " ..
        '{mechanism = "SCRAM-SHA-512", username = ..., password = ...}' },
    })
  end)

  it("refuses what is said twice", function()
    local function twice(property, text)
      return ('properties = { ["%s"] = "x" }, %s'):format(property, text)
    end
    local path = 'config.lua:2: cluster.properties["%s"]: %s'
    assert_problems({
      { twice("ssl.ca.location", 'tls = { ca_file = "ca.pem" }'),
        path:format("ssl.ca.location", "cluster.tls.ca_file is set too, keep one of them") },
      { twice("sasl.username", "tls = true, " .. PLAIN),
        path:format("sasl.username", "cluster.sasl.username is set too, keep one of them") },
      { twice("sasl.mechanism", "tls = true, " .. PLAIN),
        path:format("sasl.mechanism", "cluster.sasl.mechanism is set too, keep one of them") },
      { twice("security.protocol", "tls = true"),
        path:format("security.protocol", "cluster.tls says it already, keep one of them") },
    })
    assert.same({ "ssl.ca.location=x" }, good(twice("ssl.ca.location", "tls = true")).properties)
  end)

  it("shows no password, however it is given", function()
    local given = {
      'sasl = "hunter2"', "sasl = { mechanism = 1, " .. LOGIN,
      'sasl = { mechanism = "PLAIN", username = { "hunter2" }, password = { "hunter2" } }',
      'tls = { key_password = "hunter2", ca_file = "hunter2", hunter2 = 1 }',
      'properties = { ["sasl.password"] = "hunter2", x = { "hunter2" }, hunter2 = 1.5 }',
      'properties = { ["ssl.key.password"] = "hunter2" }, hunter2 = "hunter2"',
      'sasl = { password = "hunter2" } } error("hunter2', 'sasl = { password = "hunter2 }',
      'sasl = { password = "hunter2", x = nil + 1 }', '["sasl.password"] = "hunter2" x',
    }
    for _, text in ipairs(given) do
      for _, problem in ipairs(problems(text)) do
        assert.is_nil(problem:find("hunter2", 1, true), problem)
      end
    end
    local path = directory.write(directory.new() .. "/config.lua", with("tls = true, " .. PLAIN))
    assert.equal("u <secret>", config.redact(path, "u hunter2"))
    path = directory.write(directory.new() .. "/config.lua",
      with('properties = { ["sasl.password"] = "hunter3" }'))
    assert.equal("<secret>", config.redact(path, "hunter3"))
  end)

  it("is set aside in dev", function()
    local set_aside = PLAIN .. ', tls = { ca_file = env("LAGOON_SPEC_CA") }'
    assert.is_truthy(config_file.load(with(PLAIN), { is_dev = true }))
    assert.is_truthy(config_file.load(with(set_aside), { is_dev = true }))
    local stood_in = config_file.good(with('sasl = { mechanism = "PLAIN", username = "u", ' ..
      'password = secret("LAGOON_SPEC_NONE") }'), { is_dev = true })
    assert.same({ 'config.lua:2: secret("LAGOON_SPEC_NONE"): neither LAGOON_SPEC_NONE nor ' ..
      'LAGOON_SPEC_NONE_FILE is set; in dev "dev-lagoon-spec-none" stands in for it' },
      stood_in.notices)
    assert.same({ "config.lua:2: cluster.tls.ca_fil: unknown key, did you mean 'ca_file'?" },
      problems("tls = { ca_fil = true }", { is_dev = true }))
  end)
end)

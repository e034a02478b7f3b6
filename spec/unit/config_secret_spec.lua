local config = require("unit").config
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")

local good_but, setenv = config_file.good_but, config_file.setenv

-- The good config with an expression as a property of the cluster; its line is 2.
local function with_value(expression)
  return good_but('brokers = "localhost:9092"',
    'brokers = "a:1", properties = { x = ' .. expression .. " }")
end

local function value(expression, options)
  return config_file.good(with_value(expression), options).clusters[1].properties[1]
end

local function problem(expression, options)
  local problems = config_file.problems(with_value(expression), options)
  assert.equal(1, #problems)
  return (problems[1]:gsub("^config%.lua:2: ", "", 1))
end

describe("config secret", function()
  it("reads the variable, or the file that NAME_FILE names", function()
    setenv("LAGOON_SPEC", "hunter2")
    setenv("LAGOON_SPEC_FILE", nil)
    assert.equal("x=hunter2", value('secret("LAGOON_SPEC")'))
    setenv("LAGOON_SPEC", nil)
    setenv("LAGOON_SPEC_FILE", directory.write(directory.new() .. "/s", "hunter3\n"))
    assert.equal("x=hunter3", value('secret("LAGOON_SPEC")'))
  end)

  it("says what is wrong with where it should come from", function()
    setenv("LAGOON_SPEC", nil)
    setenv("LAGOON_SPEC_FILE", nil)
    assert.equal('secret("LAGOON_SPEC"): neither LAGOON_SPEC nor LAGOON_SPEC_FILE is set',
      problem('secret("LAGOON_SPEC")'))
    setenv("LAGOON_SPEC_FILE", "/nowhere/s")
    assert.equal('secret("LAGOON_SPEC"): LAGOON_SPEC_FILE: /nowhere/s: No such file or directory',
      problem('secret("LAGOON_SPEC")'))
    local empty = directory.write(directory.new() .. "/s", "\n")
    setenv("LAGOON_SPEC_FILE", empty)
    assert.equal(('secret("LAGOON_SPEC"): LAGOON_SPEC_FILE: %s: is empty'):format(empty),
      problem('secret("LAGOON_SPEC")'))
    setenv("LAGOON_SPEC", "x")
    assert.equal(
      'secret("LAGOON_SPEC"): both LAGOON_SPEC and LAGOON_SPEC_FILE are set, keep one of them',
      problem('secret("LAGOON_SPEC")'))
    assert.equal("secret(false): needs the name of a variable", problem("secret(false)"))
  end)

  it("never shows its value, wherever it is used", function()
    setenv("LAGOON_SPEC", 'hun"ter\t2')
    setenv("LAGOON_SPEC_FILE", nil)
    setenv("LAGOON_SPEC_COPY", 'hun"ter\t2')
    local problems = config_file.problems([[
local copied = env("LAGOON_SPEC_COPY", 1)
local s = secret("LAGOON_SPEC")
return {
  cluster = { brokers = s, [s] = 1, properties = { [s] = {} } },
  topics = { ["a" .. s] = {} },
  producers = { p = { topic = "<" .. s .. ">" } },
  stop_timeout = s,
}
]])
    local topic = "must be a legal topic name, which is 1 to 249 letters, digits, '.', '_' and '-'"
    assert.same({
      'config.lua:1: env("LAGOON_SPEC_COPY"): must be an integer, got "<secret>"',
      'config.lua:4: cluster["<secret>"]: unknown key',
      'config.lua:4: cluster.brokers: must be host:port, got "<secret>"',
      'config.lua:4: cluster.properties["<secret>"]: ' ..
        'must be a name of 1 to 255 printable characters, got "<secret>"',
      'config.lua:4: cluster.properties["<secret>"]: ' ..
        "must be text, an integer, true or false, got a table",
      'config.lua:5: topics["a<secret>"]: ' .. topic .. ', got "a<secret>"',
      "config.lua:6: producers.p.topic: " .. topic .. ', got "<<secret>>"',
      'config.lua:7: stop_timeout: must be a duration such as "250ms", "30s" or "5m", ' ..
        'got "<secret>"',
    }, problems)
  end)

  it("does not show it in an error of the file itself, nor in a notice", function()
    setenv("LAGOON_SPEC", "hunter2")
    setenv("LAGOON_SPEC_FILE", nil)
    assert.same({ "config.lua:1: no <secret>s here" },
      config_file.problems('error("no " .. secret("LAGOON_SPEC") .. "s here")'))
    local loaded = config_file.good(good_but('"localhost:9092"',
      'env("NOT_SET_" .. secret("LAGOON_SPEC"))'), { is_dev = true })
    assert.same({ 'config.lua:2: env("NOT_SET_<secret>"): the variable is not set; ' ..
      'in dev "dev-not-set-<secret>" stands in for it' }, loaded.notices)
  end)

  it("so short that it is a part of other words is taken out as a word", function()
    setenv("LAGOON_SPEC", "a1")
    setenv("LAGOON_SPEC_FILE", nil)
    local source = with_value('secret("LAGOON_SPEC")')
    local path = directory.write(directory.new() .. "/config.lua", source)
    assert.equal("<secret> ba1 a1b \"<secret>\" x=<secret>",
      config.redact(path, 'a1 ba1 a1b "a1" x=a1'))
    assert.same({ "config.lua:1: <secret> ba1 a1b" },
      config_file.problems('error(secret("LAGOON_SPEC") .. " ba1 a1b")'))
  end)

  it("is known to whatever quotes the config later", function()
    setenv("LAGOON_SPEC_A", "hunter")
    setenv("LAGOON_SPEC_B", "hunter2")
    setenv("LAGOON_SPEC_A_FILE", nil)
    setenv("LAGOON_SPEC_B_FILE", nil)
    local path = directory.write(directory.new() .. "/config.lua",
      with_value('secret("LAGOON_SPEC_A") .. secret("LAGOON_SPEC_B")'))
    assert.same({ "hunter2", "hunter" }, assert(config.load(path)).secrets)
    assert.equal("a <secret>, <secret> and <secret><secret>: hunte",
      config.redact(path, "a hunter2, hunter and hunterhunter2: hunte"))
    assert.equal("", config.redact(path, ""))
  end)
end)

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

describe("config env", function()
  it("reads a variable as text", function()
    setenv("LAGOON_SPEC", "12")
    assert.equal("x=12", value('env("LAGOON_SPEC")'))
    assert.equal("x=12", value('env("LAGOON_SPEC", "5")'))
  end)

  it("takes the default when the variable is not set or empty", function()
    for _, unset in ipairs({ false, "" }) do
      setenv("LAGOON_SPEC", unset or nil)
      assert.equal("x=a", value('env("LAGOON_SPEC", "a")'))
      assert.equal("x=5", value('env("LAGOON_SPEC", 5)'))
      assert.equal("x=false", value('env("LAGOON_SPEC", false)'))
      assert.equal("x=", value('env("LAGOON_SPEC", "")'))
    end
  end)

  it("converts to the type of its default", function()
    local function converted(text, default)
      setenv("LAGOON_SPEC", text)
      return value(("math.type(env('LAGOON_SPEC', %s)) or type(env('LAGOON_SPEC', %s))")
        :format(default, default)) .. " " .. value(("tostring(env('LAGOON_SPEC', %s))")
        :format(default))
    end
    assert.equal("x=integer x=7", converted("7", "1"))
    assert.equal("x=integer x=-7", converted("-7", "1"))
    assert.equal("x=float x=0.5", converted("0.5", "1.0"))
    assert.equal("x=string x=7", converted("7", "'1'"))
    for _, text in ipairs({ "true", "1", "yes", "on", "TRUE" }) do
      assert.equal("x=boolean x=true", converted(text, "false"))
    end
    for _, text in ipairs({ "false", "0", "no", "off" }) do
      assert.equal("x=boolean x=false", converted(text, "true"))
    end
  end)

  it("says when the variable does not convert", function()
    setenv("LAGOON_SPEC", "many")
    assert.equal('env("LAGOON_SPEC"): must be an integer, got "many"',
      problem('env("LAGOON_SPEC", 1)'))
    assert.equal('env("LAGOON_SPEC"): must be a number, got "many"',
      problem('env("LAGOON_SPEC", 1.5) and 1'))
    assert.equal('env("LAGOON_SPEC"): must be true or false, got "many"',
      problem('env("LAGOON_SPEC", false)'))
    for _, text in ipairs({ "1.5", "0x10", "1e3", " 1", "99999999999999999999" }) do
      setenv("LAGOON_SPEC", text)
      assert.equal(('env("LAGOON_SPEC"): must be an integer, got "%s"'):format(text),
        problem('env("LAGOON_SPEC", 1)'))
    end
  end)

  it("names a variable that is required, and goes on", function()
    setenv("LAGOON_SPEC_A", nil)
    setenv("LAGOON_SPEC_B", "")
    assert.same({
      'config.lua:2: env("LAGOON_SPEC_A"): the variable is not set',
      'config.lua:3: env("LAGOON_SPEC_B"): the variable is empty',
      'config.lua:4: env("LAGOON_SPEC_A"): the variable is not set',
      "config.lua:5: x: unknown key",
    }, config_file.problems([[
return {
  cluster = { brokers = "a:1," .. env("LAGOON_SPEC_A") },
  topics = { a = { partitions = env("LAGOON_SPEC_B"), create = env("LAGOON_SPEC_B") } },
  producers = { [env("LAGOON_SPEC_A")] = { topic = env("LAGOON_SPEC_A") .. " x" } },
  x = 1,
}
]]))
  end)

  it("does not report what only follows from a missing variable", function()
    setenv("LAGOON_SPEC", nil)
    assert.equal('env("LAGOON_SPEC"): the variable is not set', problem('env("LAGOON_SPEC") * 2'))
    assert.same({
      'config.lua:1: env("LAGOON_SPEC"): the variable is not set',
      "config.lua:2: unknown name 'grp'",
    }, config_file.problems('local a = env("LAGOON_SPEC")\nreturn { a = grp }'))
  end)

  it("refuses a call that cannot be meant", function()
    assert.equal("env(nil): needs the name of a variable", problem("env()"))
    assert.equal("env(5): needs the name of a variable", problem("env(5)"))
    setenv("LAGOON_SPEC", nil)
    assert.equal('env("LAGOON_SPEC"): the default must be text, a number, true or false',
      problem('env("LAGOON_SPEC", {}) and 1'))
  end)

  it("stands in for a missing variable in dev, and says so", function()
    setenv("LAGOON_SPEC_NAME", nil)
    local loaded = config_file.good([[
return {
  cluster = { brokers = env("LAGOON_SPEC_NAME") },
  topics = { orders = { partitions = env("LAGOON_SPEC_NAME"), create = env("LAGOON_SPEC_NAME") } },
  producers = { p = { topic = env("LAGOON_SPEC_NAME") } },
  consumers = {
    c = { topic = "orders", group = "x-" .. env("LAGOON_SPEC_NAME"), handlers = { A = "a" },
      workers = env("LAGOON_SPEC_NAME"), buffer_size = env("LAGOON_SPEC_NAME") },
  },
}
]], { is_dev = true })
    assert.equal("localhost:9092", loaded.clusters[1].brokers)
    assert.equal(1, loaded.topics[1].partitions)
    assert.is_true(loaded.topics[1].create)
    assert.equal("dev-lagoon-spec-name", loaded.producers[1].topic)
    assert.equal("x-dev-lagoon-spec-name", loaded.consumers[1].group)
    assert.equal(10, loaded.consumers[1].buffer_size)
    assert.equal(1, loaded.consumers[1].workers_min)
    assert.equal('config.lua:2: env("LAGOON_SPEC_NAME"): the variable is not set; ' ..
      'in dev "dev-lagoon-spec-name" stands in for it', loaded.notices[1])
    assert.equal(7, #loaded.notices)
  end)
end)

describe("config file", function()
  it("reads beside the config, without one newline at the end", function()
    local files = { ["a/ca.pem"] = "one\ntwo\n\n", ["b"] = "three\r\n", c = "" }
    assert.equal("x=one\ntwo\n", value('file("a/ca.pem")', { files = files }))
    assert.equal("x=three", value('file("b")', { files = files }))
    assert.equal("x=", value('file("c")', { files = files }))
    local path = directory.write(directory.new() .. "/d", "four")
    assert.equal("x=four", value(('file("%s")'):format(path)))
  end)

  it("says why a file cannot be read", function()
    assert.equal('file("none"): No such file or directory', problem('file("none")'))
    assert.equal('file("."): Is a directory', problem('file(".")'))
    assert.equal('file("big"): is larger than 1 MiB',
      problem('file("big")', { files = { big = ("x"):rep(1024 * 1024 + 1) } }))
    assert.equal('file("nul"): is no text, it holds a NUL byte',
      problem('file("nul")', { files = { nul = "a\0b" } }))
    assert.equal("file(nil): needs the path of a file", problem("file()"))
  end)
end)

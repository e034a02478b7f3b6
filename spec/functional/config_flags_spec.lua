-- What the command line and the environment add to a config. No broker is asked.

local application = require("spec.support.application")

local CONFIG = [[
return {
  cluster = { brokers = "127.0.0.1:1" },
  producers = { out = { topic = env("LAGOON_TOPIC", "t") } },
}
]]

local SCRIPTS = { mode = 'return require("lagoon").env("LAGOON_MODE")' }

---@return integer code, string stderr, string stdout
local function check(arguments, variables)
  local app = application.new("", CONFIG, SCRIPTS)
  local process = app:run({ "check", table.unpack(arguments) }, { env = variables }).process
  return process.code, process:stderr(), process:stdout()
end

describe("lagoon with --set", function()
  it("checks the config with these values", function()
    local code, stderr, stdout = check({ "--set", "topics.a.partitions=3", "--set=topics.b={}" })
    assert.equal("", stderr)
    assert.equal(0, code)
    assert.matches("good: 2 topics, 1 producer", stdout, 1, true)
  end)

  it("names a wrong one as the flag that gave it", function()
    local code, stderr = check({ "--set", "topics.a.partitions=0", "--set", "stop_timeout=1" })
    assert.equal(3, code)
    assert.equal(
      "--set topics.a.partitions: must be an integer from 1 to 100000, got 0\n", stderr)
  end)
end)

describe("lagoon in an environment", function()
  local function warnings(variables, arguments)
    local _, stderr = check(arguments or {}, variables)
    local list = {}
    for text in stderr:gmatch('"message":"([^"]*)') do
      table.insert(list, text)
    end
    return list
  end

  it("warns of a variable that nobody reads", function()
    assert.same({ "lagoon knows no environment variable LAGOON_CONFG, " ..
      "did you mean 'LAGOON_CONFIG'?" }, warnings({ LAGOON_CONFG = "x.lua" }))
    assert.same({ "lagoon knows no environment variable LAGOON_COLOUR" },
      warnings({ LAGOON_COLOUR = "1" }))
  end)

  it("does so where the misspelling is why there is no config", function()
    assert.same({ "lagoon knows no environment variable LAGOON_SCRIPT, " ..
      "did you mean 'LAGOON_SCRIPTS'?" },
      warnings({ LAGOON_SCRIPT = "x", LAGOON_COLOUR = "1" }, { "--config", "none.lua" }))
  end)

  it("is silent about its own, the config's, a script's and Kubernetes'", function()
    assert.same({}, warnings({ LAGOON_TOPIC = "u", LAGOON_ONLY = "producers", LAGOON_MODE = "x",
      LAGOON_PORT_9092_TCP = "tcp://10.0.0.1:9092", LAGOON_SERVICE_HOST = "10.0.0.1" }))
  end)
end)

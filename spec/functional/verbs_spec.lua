-- The command line, and what is said about a config or a script that is wrong. No broker is asked.

local application = require("spec.support.application")
local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local processes = require("spec.support.process")

local CONFIG = [[
return {
  cluster = { brokers = "127.0.0.1:1" },
  producers = { out = { topic = "t" } },
  consumers = {
    c = { topic = "t", group = "g", handlers = { A = "handlers.a", B = "handlers.b" } },
    d = { topic = "t", group = "h", handlers = { A = "handlers.a" } },
  },
}
]]

---Runs it in a folder with this config and these handlers.
---@return integer code, string stderr, string stdout
local function run(arguments, config, scripts, env)
  local app = application.new("", config or CONFIG, scripts or { ["handlers/a"] = "return print",
    ["handlers/b"] = "return print" })
  local process = app:run(arguments, { env = env }).process
  return process.code, process:stderr(), process:stdout()
end

local function assert_usage(arguments, message)
  local code, stderr, stdout = run(arguments)
  assert.equal(2, code)
  assert.equal("", stdout)
  assert.equal(message, stderr:match("^[^\n]*"))
  return stderr
end

describe("lagoon", function()
  it("names what is wrong with the command line and shows the verb's usage", function()
    assert_usage({ "fly" }, "lagoon: there is no verb 'fly'; `lagoon help` shows them")
    assert_usage({ "chekc" },
      "lagoon: there is no verb 'chekc', did you mean 'check'? `lagoon help` shows them")
    local stderr = assert_usage({ "run", "--onyl", "consumers" },
      "lagoon run: unknown flag '--onyl', did you mean '--only'?")
    assert.matches("\nusage: lagoon run [--only ", stderr, 1, true)
    assert_usage({ "check", "--only=c" }, "lagoon check: unknown flag '--only=c'")
    assert_usage({ "run", "--only" }, "lagoon run: --only needs a value")
    assert_usage({ "run", "now" }, "lagoon run: too many arguments")
    assert_usage({ "publish" }, "lagoon publish: too few arguments")
    assert_usage({ "check", "-c" }, "lagoon check: unknown flag '-c'")
    assert_usage({ "check", "--help=it" }, "lagoon check: --help takes no value")
    assert_usage({ "help", "publsh" },
      "lagoon: there is no verb 'publsh', did you mean 'publish'? `lagoon help` shows them")
    assert_usage({ "publish", "out", "T", "--timeout", "soon" }, "lagoon publish: --timeout: " ..
      "a duration is written like \"250ms\", \"30s\" or \"5m\", got \"soon\"")
    assert_usage({ "publish", "out", "T", "--header", "trace" },
      "lagoon publish: --header takes NAME=VALUE, got 'trace'")
    assert_usage({ "publish", "out", "T", "--header", "=v" },
      "lagoon publish: --header takes NAME=VALUE, got '=v'")
    for _, set in ipairs({ "log.level", "=debug", "" }) do
      assert_usage({ "check", "--set", set },
        "lagoon check: --set takes PATH=VALUE, such as log.level=debug")
    end
  end)

  it("says that what it prints could not be written, but not where nobody reads on", function()
    local function shell(command)
      local ended = processes.run({ "sh", "-c", command, lagoon.path },
        { directory = directory.new() })
      return ended.code, ended:stderr()
    end
    local code, stderr = shell('"$0" help > /dev/full')
    assert.equal(1, code)
    assert.equal("lagoon: standard output: No space left on device\n", stderr)
    code, stderr = shell('mkfifo p; exec 3<>p 4>p 3<&-; exec "$0" help >&4')
    assert.same({ 0, "" }, { code, stderr })
  end)

  it("names what there is instead of an unknown consumer or producer", function()
    assert_usage({ "run", "--only", "e" },
      "lagoon run: --only e: it is producers, consumers, or a consumer's name: c d")
    assert_usage({ "publish", "uot", "T" },
      "lagoon publish: there is no producer 'uot' in config.lua, did you mean 'out'?")
    assert_usage({ "publish", "zzz", "T" },
      "lagoon publish: there is no producer 'zzz' in config.lua; it has: out")
  end)

  it("tells who has no config how to come by one", function()
    local app = application.new("", CONFIG, {})
    assert(os.remove(app.folder .. "/config.lua"))
    local process = app:run({ "check" }).process
    assert.same({ 3, "config.lua: cannot be read: No such file or directory\n`lagoon new DIR` "
      .. "writes an application to begin with; --config FILE says where another one's config "
      .. "is\n" },
      { process.code, process:stderr() })
  end)

  it("takes environment variables for flags, and flags before them", function()
    local function twin(arguments, name, value)
      return run(arguments, nil, nil, { [name] = value })
    end
    local code, stderr = twin({ "run" }, "LAGOON_ONLY", "e")
    assert.same({ 2, "lagoon run: --only e: " }, { code, stderr:sub(1, 22) })
    code, stderr = twin({ "run", "--only", "f" }, "LAGOON_ONLY", "e")
    assert.same({ 2, "lagoon run: --only f: " }, { code, stderr:sub(1, 22) })
    code, stderr = twin({ "check" }, "LAGOON_CONFIG", "other.lua")
    assert.same({ 3, "other.lua: cannot be read: No such file or directory\n" }, { code, stderr })
    assert.equal(0, (twin({ "check", "--config", "config.lua" }, "LAGOON_CONFIG", "other.lua")))
    code, stderr = twin({ "check" }, "LAGOON_SCRIPTS", "elsewhere")
    assert.same({ 3, "elsewhere: there is no such folder\n" }, { code, stderr })
    assert.equal(0, (twin({ "check", "--scripts", "scripts" }, "LAGOON_SCRIPTS", "elsewhere")))
    assert.equal(0, (twin({ "check" }, "LAGOON_CONFIG", "")))
  end)

  it("check ends a file that does not come to its end, whatever it does to go on", function()
    local app = application.new("localhost:9092", { consumers = {
      c = { topic = "t", group = "g", handlers = { A = "handlers.a", B = "handlers.a" } },
      d = { topic = "t", group = "h", handlers = { A = "handlers.a" } } } },
      { ["handlers/a"] = [[
        local function forever() while true do end end
        while true do coroutine.wrap(function()
          while true do
            pcall(coroutine.wrap(function() while true do xpcall(forever, forever) end end))
          end
        end)() end
      ]] })
    -- Whoever else needs the file is not tried: that would take as long again.
    local command = ("ulimit -t 9 && exec '%s' check"):format(lagoon.path)
    local check = processes.run({ "sh", "-c", command }, { directory = app.folder }, 60000)
    assert.equal(3, check.code)
    assert.matches("^scripts/handlers/a.lua:%d+: .*the top of a file still runs after 5 s\n",
      check:stderr())
  end)

  it("finds scripts beside the config", function()
    local app = application.new("", CONFIG, { ["handlers/a"] = "return print",
      ["handlers/b"] = "return print" })
    local checked = lagoon.run({ "check", "--config", app.folder .. "/config.lua" })
    assert.equal(0, checked.code)
    assert.equal(("%s/config.lua: good: 0 topics, 1 producer, 2 consumers, 4 script files\n")
      :format(app.folder), checked:stdout())
  end)

  it("says every problem of a config at once, each with its line", function()
    local code, stderr, stdout = run({ "check" }, [[
return {
  cluster = { brokers = "localhost:9092", propertys = {} },
  topics = { t = { partitions = "two" } },
  consumers = {
    c = {
      topic = "t",
      group = env("NO_SUCH_VARIABLE"),
      handlers = { A = "handlers.a" },
      distribution = "keys",
      properties = { ["group.id"] = "other", ["no.such.property"] = 1 },
    },
  },
}
]])
    assert.equal(3, code)
    assert.equal("", stdout)
    local lines = {}
    for line in stderr:gmatch("[^\n]+") do
      table.insert(lines, (line:match("^config%.lua:%d+: [^:]*")))
    end
    assert.same({
      "config.lua:2: cluster.propertys",
      "config.lua:3: topics.t.partitions",
      'config.lua:7: env("NO_SUCH_VARIABLE")',
      "config.lua:9: consumers.c.distribution",
    }, lines)
    assert.matches("did you mean 'properties'?", stderr, 1, true)
  end)

  it("says which properties Kafka's library would not take", function()
    local code, stderr = run({ "check" }, [[
return {
  cluster = { brokers = "localhost:9092" },
  consumers = {
    c = { topic = "t", group = "g", handlers = { A = "handlers.a" },
      properties = { ["no.such.property"] = 1, ["enable.auto.commit"] = true } },
  },
}
]])
    assert.equal(3, code)
    assert.matches('consumers.c.properties["no.such.property"]: ', stderr, 1, true)
    assert.matches('consumers.c.properties["enable.auto.commit"]: ', stderr, 1, true)
  end)

  local function script_problem(source, expected)
    for _, verb in ipairs({ "check", "run", "dev" }) do
      local code, stderr = run({ verb }, nil, { ["handlers/a"] = "return print",
        ["handlers/b"] = source })
      assert.equal(3, code)
      assert.equal(expected, stderr:match("^[^\n]*"))
    end
  end

  it("says where a script is wrong, before anything starts", function()
    script_problem("local x\nreturn function(\n",
      "scripts/handlers/b.lua:3: <name> or '...' expected near <eof>")
    script_problem("", "config.lua:5: consumers.c.handlers.B: module 'handlers.b' must return a " ..
      "function, or a table with the function handle, it returns nothing")
    script_problem("\nerror('no database')", "scripts/handlers/b.lua:2: no database")
    script_problem("require('services.mail')",
      "scripts/handlers/b.lua:1: module 'services.mail' not found: there is no " ..
      "scripts/services/mail.lua, no scripts/services/mail/init.lua, and no such module among " ..
      "the system's for Lua 5.4")
    local code, stderr = run({ "check" }, nil, { ["handlers/a"] = "\27Lua",
      ["handlers/b"] = "return print" })
    assert.same({ 3, "scripts/handlers/a.lua: is compiled; lagoon reads Lua's source only\n" },
      { code, stderr })
    code, stderr = run({ "check" }, nil, { ["handlers/a"] = "return print" })
    assert.equal(3, code)
    assert.equal("config.lua:5: consumers.c.handlers.B: no file defines the module " ..
      "'handlers.b': there is no scripts/handlers/b.lua, did you mean 'handlers.a'?\n", stderr)
  end)

  it("check refuses globals that nothing defines, a start warns of them", function()
    local scripts = { ["handlers/a"] = "return function(event)\n  count = evnt.id\nend",
      ["handlers/b"] = "return print", unused = "return (" }
    local code, stderr = run({ "check" }, nil, scripts)
    assert.equal(3, code)
    local expected = {
      "scripts/handlers/a.lua:2: undefined global 'evnt'",
      "scripts/handlers/a.lua:2: sets the global 'count', which no file declares; write local " ..
        "in front",
      "scripts/unused.lua:1: unexpected symbol near <eof>",
    }
    assert.equal(table.concat(expected, "\n") .. "\n", stderr)
    local started = application.new("", CONFIG, scripts):start({ "run" })
    assert.equal("warn", started:wait_log("^scripts/unused%.lua:1: ").level)
    assert.equal("warn", started:wait_log("^scripts/handlers/a%.lua:2: undefined global").level)
  end)
end)

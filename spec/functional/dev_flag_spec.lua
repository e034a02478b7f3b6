-- `--dev`: what goes to the running `lagoon dev`.

local application = require("spec.support.application")
local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")

-- The variable is not set, and its placeholder is no address.
local CONFIG = [[
return {
  cluster = { brokers = env("NO_SUCH_BROKERS") },
  topics = { t = { partitions = 1 } },
  producers = { out = { topic = "t" } },
  consumers = { c = { topic = "t", group = "g", handlers = { Sent = "handlers.sent" } } },
}
]]

describe("--dev", function()
  local app, runtime

  before_each(function()
    runtime = directory.new()
    app = application.new("", CONFIG, {
      ["handlers/sent"] = [[return function(event)
        require("journal").note({ text = event.text }) end]],
      ["commands/it"] = [[require("lagoon").producer("out"):publish("Sent", { text = ... }) ]],
    })
  end)

  local function env()
    return { XDG_RUNTIME_DIR = runtime }
  end

  local function run(arguments, input)
    return app:run(arguments, { env = env(), input = input }).process
  end

  local function start_dev()
    local dev = app:start({ "dev", "--port", "0" }, { env = env() })
    return dev, dev.process:wait_for("broker on (127%.0%.0%.1:%d+)")
  end

  it("sends publish, exec and check to the lagoon dev of the same config, wherever it listens",
    function()
      local dev, address = start_dev()
      dev.process:wait_for("find it by %-%-dev")
      assert.equal(0, run({ "publish", "--dev", "out", "Sent" }, '{"text":"published"}').code)
      assert.equal(0, run({ "exec", "--dev", "it", "executed" }).code)
      local noted = {}
      for _, entry in ipairs(app:wait_journal(2)) do
        noted[entry.text] = true
      end
      assert.same({ published = true, executed = true }, noted)
      assert.matches(("lagoon dev runs: cluster default is at %s\n"):format(address),
        run({ "check", "--dev" }):stdout(), 1, true)
      local asked = lagoon.run({ "check", "--dev", "--connect", "--config",
        app.folder .. "/./config.lua" }, { env = env() })
      assert.equal(0, asked.code, asked:stderr())
    end)

  it("goes nowhere when none runs, or the one that ran has ended, however it ended", function()
    local path = app.folder .. "/config.lua"
    local none = run({ "publish", "--dev", "out", "Sent" }, "{}")
    assert.same({ 4, ("--dev: no lagoon dev of %s runs\n"):format(path) },
      { none.code, none:stderr() })

    local dev = start_dev()
    dev.process:wait_for("find it by %-%-dev")
    dev.process:signal("sigkill")
    dev.process:wait_exit()
    local gone = run({ "exec", "--dev", "it" })
    assert.same({ 4, ("--dev: the lagoon dev of %s, process %d, is gone: start it again\n")
      :format(path, dev.process.pid) }, { gone.code, gone:stderr() })

    dev = start_dev()
    dev.process:wait_for("assigned t%[0%]")
    assert.equal(0, (dev.process:stop()))
    none = run({ "check", "--dev" })
    assert.same({ 4, ("--dev: no lagoon dev of %s runs\n"):format(path) },
      { none.code, none:stderr() })
  end)

  it("finds the first of two, and the second says so", function()
    local first, address = start_dev()
    first.process:wait_for("find it by %-%-dev")
    local second = start_dev()
    second.process:wait_for("another lagoon dev of %S+/config%.lua runs: %-%-dev finds that one")
    assert.matches(address, run({ "check", "--dev" }):stdout(), 1, true)
    second.process:stop()
    assert.matches(address, run({ "check", "--dev" }):stdout(), 1, true)
  end)

  it("trusts no folder that others can write to", function()
    directory.make(runtime .. "/lagoon")
    assert(os.execute("chmod 777 '" .. runtime .. "/lagoon'"))
    local process = run({ "check", "--dev" })
    assert.same({ 4, runtime .. "/lagoon: is not a folder that only this user can use, so --dev "
      .. "does not work\n" }, { process.code, process:stderr() })
  end)
end)

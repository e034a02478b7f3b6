-- What a signal does to a script of `lagoon exec`.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local sanitizer = require("spec.support.sanitizer")
local wait = require("spec.support.wait")
local uv = require("luv")

describe("a signal", function()
  local broker, topic

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("signalled", 1)
  end)

  ---Starts a command that says `ready`, signals it, and waits for its end.
  ---@return spec.Run, integer code
  local function stop(source, signal, input)
    local app = application.new(broker.brokers, { stop_timeout = "12s", producers = { out = {
      topic = topic, key_field = "id", properties = { ["linger.ms"] = 200 } } } },
      { ["commands/it"] = 'local lagoon = require("lagoon")\n' ..
        'local out = lagoon.producer("out")\n' .. source })
    local run = app:start({ "exec", "it" }, input and { input = true })
    if input then
      run.process:write(input)
    end
    run.process:wait_for("^ready$")
    run.process:signal(signal)
    return run, (run.process:wait_exit(20000))
  end

  it("ends a script that runs for ever where it sleeps, with all acknowledged and 0", function()
    local run, code = stop([[
for i = 1, math.huge do
  out:publish("Sent", { id = i })
  if i == 3 then print("ready") end
  lagoon.sleep(i < 3 and 0.01 or 3600)
end
]], "sigterm")
    assert.equal(0, code, run.process:stderr())
    assert.equal(3, broker:end_offsets(topic, 1)[0])
    assert.matches("the stop ended scripts/commands/it.lua:6 where it slept",
      run.process:stderr(), 1, true)
  end)

  it("closes the variables marked so, which may still publish", function()
    local run, code = stop([[
local closing <close> = setmetatable({}, { __close = function()
  out:publish("Sent", { id = "closed" })
  print("closed", pcall(lagoon.sleep, 1))
end })
print("ready")
pcall(pcall, lagoon.sleep, 3600)
print("never")
]], "sigint")
    assert.equal(0, code, run.process:stderr())
    assert.matches("\nclosed\tfalse\tlagoon.sleep: cannot wait here", run.process:stdout(), 1, true)
    assert.is_nil(run.process:stdout():find("never"))
    assert.equal("closed", broker:consume(topic)[1].key)
  end)

  it("ends a blocked read, so that what was published is acknowledged, with 5", function()
    local began = uv.hrtime()
    local run, code = stop([[
out:publish("Sent", { id = "a" })
print("ready")
print(io.read())
]], "sigterm", "")
    assert.equal(5, code, run.process:stderr())
    assert.equal("ready\nnil\tOperation canceled\t125\n", run.process:stdout())
    assert.equal(1, broker:end_offsets(topic, 1)[0])
    assert.is_true((uv.hrtime() - began) / 1e6 < 6000 * wait.patience)
  end)

  it("gives no half line to a script that reads lines", function()
    local run, code = stop("for line in io.lines() do print(line) end", "sigterm", "ready\nhal")
    assert.equal(5, code, run.process:stderr())
    assert.equal("ready\n", run.process:stdout())
    assert.matches("it.lua:3: Operation canceled\n", run.process:stderr(), 1, true)
  end)

  it("ends in time a script that does not come to a wait, closes what it has, and says so",
    function()
      if sanitizer.holds_signals then
        return pending("ThreadSanitizer holds back the signal that ends a loop")
      end
      local began = uv.hrtime()
      local run, code = stop([[
local closing <close> = setmetatable({}, { __close = function()
  out:publish("Sent", { id = "closed" })
end })
print("ready")
while true do pcall(function() while true do end end) end
]], "sigterm")
      assert.equal(5, code, run.process:stderr())
      assert.matches("scripts/commands/it.lua:7: ended: the process stops", run.process:stderr(),
        1, true)
      assert.equal("closed", broker:consume(topic)[1].key)
      assert.is_true((uv.hrtime() - began) / 1e6 < 13000 * wait.patience)
    end)

  it("gives up a script that is in a C function, and says so", function()
    local run, code = stop([[
print("ready")
os.execute("sleep 30")
]], "sigterm")
    assert.equal(5, code, run.process:stderr())
    assert.matches("scripts/commands/it.lua still runs and is abandoned", run.process:stderr(), 1,
      true)
  end)

  it("ends the process by itself while an on_load blocks", function()
    local app = application.new(broker.brokers, { producers = { out = { topic = topic,
      middlewares = { "middlewares.slow" } } } }, {
      ["middlewares/slow"] = [[
        local gate = require("gate")
        return {
          handle = function(event, context, next) return next(event, context) end,
          on_load = function() print("blocks") gate.block("shut") end,
        }
      ]],
      ["commands/it"] = "",
    })
    app:make_blocking_gate("shut")
    local run = app:start({ "exec", "it" })
    run:wait_log("^blocks$")
    run.process:signal("sigterm")
    local _, signal = run.process:wait_exit(5000)
    assert.equal(15, signal)
  end)
end)

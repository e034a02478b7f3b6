-- `lagoon dev` with an application of one's own, which is not ready for a real Kafka yet.

local application = require("spec.support.application")

local CONFIG = [[
return {
  cluster = {
    brokers = env("NO_SUCH_BROKERS"),
    properties = { ["security.protocol"] = "ssl", ["ssl.ca.location"] = "/no/such/file.pem" },
  },
  topics = { ticks = { partitions = 2 } },
  producers = { clock = { topic = "ticks" } },
  consumers = { c = { topic = "ticks", group = "g", handlers = { Tick = "handlers.tick" } } },
}
]]

local TICK = [[
return function(event, context)
  print("tick", event.n, event.offset)
end
]]

-- What it may that the top of other files may not: publish, await and sleep.
local TRAFFIC = [[
local lagoon = require("lagoon")
local clock = lagoon.producer("clock")

local _, offset = clock:publish("Tick", { n = 1 }, { key = "k" }):await()
lagoon.sleep("1ms")
clock:publish("Tick", { n = 2, offset = offset }, { key = "k" })
require("over")()
]]

local OVER = [[
return function()
  error("no more ticks")
end
]]

describe("lagoon dev", function()
  it("needs no Kafka, no variables and no certificates, and says what it sets aside", function()
    local dev = application.new("", CONFIG, { ["handlers/tick"] = TICK, dev = TRAFFIC,
      over = OVER }):start({ "dev", "--port", "0" })
    dev:wait_log('^config%.lua:3: env%("NO_SUCH_BROKERS"%): the variable is not set; in dev ')
    dev:wait_log("^in dev the brokers and security properties of the config are set aside")
    local line = dev:wait_log("^tick 1 nil$")
    assert.matches("^ticks%[[01]%]@0$", line.record)
    line = dev:wait_log("^tick 2 0$")
    assert.matches("^ticks%[[01]%]@1$", line.record)
    line = dev:wait_log("no more ticks")
    assert.equal("error", line.level)
    assert.matches("^scripts/dev%.lua: scripts/over%.lua:2: no more ticks\nstack traceback:",
      line.message)
    assert.equal(0, dev:stop())
    assert.equal(2, dev:wait_log("^consumer c: stopped").handled)
  end)

  it("shows each reload, with the error where there is one, and what goes on as it was", function()
    local app = application.new("", CONFIG, { ["handlers/tick"] = TICK, dev = TRAFFIC,
      over = OVER })
    local dev = app:start({ "dev", "--port", "0" })
    dev:wait_log("^tick 1 nil$")
    app:script("handlers/tick", TICK .. "-- more\n")
    dev:wait_log("^reloaded, generation 2 runs: scripts/handlers/tick.lua$")
    app:script("handlers/tick", "return function()")
    local line = dev:wait_log("^reload refused, still running generation 2: "
      .. "scripts/handlers/tick.lua:1: 'end' expected")
    assert.equal("error", line.level)
    app:script("handlers/tick", TICK)
    dev:wait_log("^reloaded, generation 3 runs: scripts/handlers/tick.lua$")
    assert.same({}, dev:log("goes on as it began"))
    app:script("dev", TRAFFIC .. "-- more\n")
    dev:wait_log("^reloaded, generation 4 runs: scripts/dev.lua$")
    dev:wait_log("^generation 4: scripts/dev.lua goes on as it began; ", { level = "warn" })
    assert.equal(0, dev:stop())
  end)

  it("runs without traffic of its own, and says nothing of any", function()
    local dev = application.new("", CONFIG, { ["handlers/tick"] = TICK })
      :start({ "dev", "--port", "0" })
    dev:wait_log("^consumer c: ")
    assert.same({}, dev:log("traffic"))
    assert.equal(0, dev:stop())
  end)

  it("listens from port 9092 upwards, on the next free one, and says which", function()
    local ports = {}
    for i = 1, 2 do
      local dev = application.new("", CONFIG, { ["handlers/tick"] = TICK }):start({ "dev" })
      local line = dev:wait_log("^embedded broker on 127%.0%.0%.1:%d+: ")
      ports[i] = tonumber(line.message:match(":(%d+): "))
    end
    assert.is_true(ports[1] >= 9092 and ports[1] < 9192, "port " .. ports[1])
    assert.is_true(ports[2] > ports[1], "port " .. ports[2])
  end)
end)

-- A stop that comes while Lua states are made: on_load and on_unload may take their time, and the
-- process answers all the same.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local SLOW = [[
local gate = require("gate")
local lagoon = require("lagoon")
return {
  handle = function() lagoon.sleep(3600) end,
  on_load = function() print("loads") gate.block(lagoon.env("LOADS", "open")) end,
  on_unload = function() print("unloads") gate.block(lagoon.env("UNLOADS", "open")) end,
}
]]

describe("a stop while states are made", function()
  local broker, app

  before_each(function()
    broker = brokers.start()
    local topic = broker:new_topic("loading", 1)
    app = application.new(broker.brokers, { stop_timeout = "10s", consumers = { c = {
      topic = topic, group = topic, buffer_size = 1, workers = 4, handlers = { Event = "slow" },
    } } }, { slow = SLOW })
    app:open_gate("open")
    app:make_blocking_gate("load")
    app:make_blocking_gate("unload")
  end)

  it("makes no further one", function()
    local run = app:start({ "run" }, { env = { LOADS = "load" } })
    run:wait_log("^loads$")
    run.process:signal("sigterm")
    run:wait_log("^SIGTERM: stopping")
    app:open_blocking_gate("load")
    assert.equal(0, (run.process:wait_exit(5000)))
    assert.same({ 1, 1 }, { #run:log("^loads$"), #run:log("^unloads$") })
  end)

  it("is still answered while one of those that were made is unloaded", function()
    local run = app:start({ "run" }, { env = { LOADS = "load", UNLOADS = "unload" } })
    run:wait_log("^loads$")
    run.process:signal("sigterm")
    run:wait_log("^SIGTERM: stopping")
    app:open_blocking_gate("load")
    run:wait_log("^unloads$")
    wait.till("the hurry", 5000, function()
      run.process:signal("sigterm")
      return #run:log("^hurrying: ") > 0
    end)
    assert.equal(5, (run.process:wait_exit(5000)))
  end)
end)

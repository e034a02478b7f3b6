-- `lagoon broker --child`, as `lagoon dev` starts it: it must not outlive its parent.

local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")
local unit = require("unit")
local wait = require("spec.support.wait")

local LISTENING = "^listening on (127%.0%.0%.1:(%d+))$"

local function start_child(...)
  local child = lagoon.start({ "broker", "--child", ... }, { input = true })
  return child, child:wait_for(LISTENING)
end

describe("the broker as a child", function()
  it("ends when its standard input does", function()
    local child = start_child("--port", "0")
    assert.is_true(child:is_running())
    child:close_input()
    assert.equal(0, (child:wait_exit()))
  end)

  it("ends with a parent that is killed, though its standard input stays open", function()
    local parent = process.start({ "sh", "-c", 'exec 3<&0; "$0" broker --child --port 0 <&3 & wait',
      lagoon.path }, { input = true })
    local address = parent:wait_for(LISTENING)
    assert.equal(1, unit.kafka.brokers(address))
    parent:signal("sigkill")
    wait.till("the end of the broker", 10000, function()
      return not unit.kafka.brokers(address, 200)
    end)
  end)

  it("listens on the next free port when any from one on will do, 9092 unless said", function()
    local _, _, first = start_child("--any-port")
    local _, address, second = start_child("--port", first, "--any-port")
    assert.is_true(tonumber(first) >= 9092)
    assert.is_true(tonumber(second) > tonumber(first))
    assert.equal(1, unit.kafka.brokers(address))
  end)
end)

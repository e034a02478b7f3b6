-- The example's services ask the servers that the environment names.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")
local http_server = require("spec.support.http_server")
local json = require("cjson")

local ASKS = [[
local lagoon = require("lagoon")

local function try(service, name, ...)
  local _, message = pcall(require("services." .. service)[name], ...)
  print(message)
end

try("inventory", "reserve_stock", "order-7")
try("shipping", "initiate", "order-7")
try("notification", "send_order_update", "order-7", "shipped")
local remote = require("services.remote")
print(lagoon.json.encode(remote.post(lagoon.env("ECHO_URL"), "once", { n = 7 })))
]]

describe("the example's services", function()
  it("post what they are asked for to their URLs, each with a key for doing it once", function()
    local server = http_server.start()
    local scripts = {}
    for _, name in ipairs({ "inventory", "shipping", "notification", "remote" }) do
      scripts["services/" .. name] = directory.read(("scripts/services/%s.lua"):format(name))
    end
    local app = application.new(brokers.start().brokers, {}, scripts)
    app:script("commands/ask", ASKS)
    local ran = app:run({ "exec", "ask" }, { env = { no_proxy = "*",
      INVENTORY_URL = server.url .. "/status/503", SHIPPING_URL = server.url .. "/status/504",
      NOTIFICATION_URL = server.url .. "/status/500", ECHO_URL = server.url .. "/echo" } })
    assert.equal(0, ran.process.code, ran.process:stderr())
    local lines = {}
    for line in ran.process:stdout():gmatch("[^\n]+") do
      table.insert(lines, line)
    end
    for i, status in ipairs({ 503, 504, 500 }) do
      assert.equal(("%s/status/%d answers %d: "):format(server.url, status, status), lines[i])
    end
    local asked = json.decode(lines[4])
    assert.same({ "POST", '{"n":7}' }, { asked.method, asked.body })
    assert.matches("once", json.encode(asked.headers), 1, true)
  end)
end)

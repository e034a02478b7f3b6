-- Handlers run with records made up, without Kafka.

local directory = require("spec.support.directory")
local unit = require("unit")

local M = {}

local CONFIG = [[
return {
  cluster = { brokers = "localhost:9092" },
  producers = { it = { topic = "orders" } },
  consumers = { c = { topic = "orders", group = "g",
%s
  } },
}
]]

-- Says what it got: the handler's failure is its JSON, the keys in order.
M.TELL = [[
local lagoon = require("lagoon")
return function(event, context)
  return nil, lagoon.json.encode({ event = event, type = context.type }, { sort_keys = true })
end
]]

---@param consumer string keys of the consumer, as Lua source
---@param scripts table<string, string> {["handlers/a"] = "return ..."}
---@return string folder with config.lua and scripts/
function M.folder(consumer, scripts)
  local files = { ["config.lua"] = CONFIG:format(consumer) }
  for name, source in pairs(scripts) do
    files["scripts/" .. name .. ".lua"] = source
  end
  return directory.with(files)
end

---The outcome and failure of each record, all in one state; nil and why when nothing is loaded.
---@param consumer string
---@param scripts table<string, string>
---@param ... { value: string?, key: string?, headers: string[][]? }
---@return string? outcome
---@return string? failure
function M.handle(consumer, scripts, ...)
  local folder = M.folder(consumer, scripts)
  return unit.bindings.handle(folder .. "/config.lua", folder .. "/scripts", ...)
end

---A record of that type.
---@param type string?
---@param value string?
---@return table
function M.record(type, value)
  return { value = value, headers = type and { { "Message-Type", type } } }
end

return M

-- An application of one spec: a config.lua and scripts in a folder of their own, the processes that
-- run it, and what its handlers wrote down.

local json = require("cjson")

local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")
local run = require("spec.support.run")
local scripts_of_specs = require("spec.support.application_scripts")
local wait = require("spec.support.wait")

local M = {}

local function serialize(value, indent)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local names, lines = {}, {}
  for name in pairs(value) do
    table.insert(names, name)
  end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    table.insert(lines, ("%s  [%s] = %s,\n"):format(indent, serialize(name, ""),
      serialize(value[name], indent .. "  ")))
  end
  return "{\n" .. table.concat(lines) .. indent .. "}"
end

-- A group that was left is joined again only when its session timeout is over, on the embedded
-- broker; so it is short.
local SESSION = { ["session.timeout.ms"] = 4000, ["heartbeat.interval.ms"] = 500 }

local function complete(config, brokers)
  config.cluster = config.cluster or not config.clusters and { brokers = brokers } or nil
  for _, consumer in pairs(config.consumers or {}) do
    consumer.properties = consumer.properties or SESSION
  end
  return "return " .. serialize(config, "") .. "\n"
end

---@class spec.Application
---@field folder string
local Application = {}
Application.__index = Application

---Writes config.lua and the scripts, among them `journal` and `gate`, into a new folder.
---@param brokers string
---@param config table|string what config.lua returns, the cluster may be absent; a string is its
--- text
---@param scripts? table<string, string> {["handlers/a"] = "return ..."}
---@return spec.Application
function M.new(brokers, config, scripts)
  local folder = directory.new()
  local self = setmetatable({ folder = folder, brokers = brokers, entries = {} }, Application)
  self:write_config(config)
  directory.make(folder .. "/gates")
  directory.write(folder .. "/journal", "")
  for name, source in pairs(scripts_of_specs) do
    self:script(name, (source:gsub("@FOLDER@", folder)))
  end
  for name, source in pairs(scripts or {}) do
    self:script(name, source)
  end
  return self
end

---@param name string handlers/a
---@param source string
function Application:script(name, source)
  directory.write(("%s/scripts/%s.lua"):format(self.folder, name), source)
end

---@return string # the text of config.lua
function Application:config()
  return directory.read(self.folder .. "/config.lua")
end

---@param config table|string as in new
function Application:write_config(config)
  local text = type(config) == "string" and config or complete(config, self.brokers)
  directory.write(self.folder .. "/config.lua", text)
end

---Starts `lagoon ARGUMENTS...` in the application's folder.
---@param arguments string[]
---@param options? table as in process.start
---@return spec.Run
function Application:start(arguments, options)
  options = options or {}
  options.directory = self.folder
  return run.new(lagoon.start(arguments, options))
end

---Runs it to its end.
---@param arguments string[]
---@param options? table
---@param deadline_ms? integer
---@return spec.Run
function Application:run(arguments, options, deadline_ms)
  local started = self:start(arguments, options)
  started.process:wait_exit(deadline_ms or 30000)
  return started
end

---Asks a running one by a verb.
---@param ... string the verb and its arguments
---@return integer code
---@return string said on both streams
function Application:ask(...)
  local asked = self:run({ ... }).process
  return asked.code, asked:stdout() .. asked:stderr()
end

---@param name string
function Application:open_gate(name)
  directory.write(self.folder .. "/gates/" .. name, "")
end

---@param name string
function Application:close_gate(name)
  directory.remove(self.folder .. "/gates/" .. name)
end

---Makes a gate at which threads block.
---@param name string
function Application:make_blocking_gate(name)
  assert(process.run({ "mkfifo", self.folder .. "/gates/" .. name }).code == 0)
end

---Lets the one thread through that blocks there.
---@param name string
function Application:open_blocking_gate(name)
  assert(io.open(self.folder .. "/gates/" .. name, "w")):close()
end

---What handlers wrote down so far, in order.
---@param filter? table<string, any> only entries with these fields
---@return table[]
function Application:journal(filter)
  local file = assert(io.open(self.folder .. "/journal", "rb"))
  file:seek("set", self.read_to or 0)
  local text = file:read("a"):match("^.*\n") or ""
  file:close()
  self.read_to = (self.read_to or 0) + #text
  for line in text:gmatch("[^\n]+") do
    table.insert(self.entries, json.decode(line))
  end
  local chosen = {}
  for _, entry in ipairs(self.entries) do
    local fits = true
    for name, value in pairs(filter or {}) do
      fits = fits and entry[name] == value
    end
    if fits then
      table.insert(chosen, entry)
    end
  end
  return chosen
end

---Waits for at least `count` such entries.
---@param count integer
---@param filter? table<string, any>
---@param deadline_ms? integer
---@return table[]
function Application:wait_journal(count, filter, deadline_ms)
  return wait.till(("%d entries in the journal"):format(count), deadline_ms or 20000, function()
    local entries = self:journal(filter)
    return #entries >= count and entries, #entries .. " came"
  end)
end

return M

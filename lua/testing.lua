--- lagoon.testing: handlers of an application, run one record at a time in the process of a test,
-- without Kafka. Argument: functions of the program.

local natives = ...

local M = {}

---@class lagoon.testing.Application
---@field session lightuserdata
---@field path string of the config
---@field consumers table[]
local Application = {}
Application.__index = Application

-- It outlives this module, which busted loads anew for every file.
local state = natives.state()

---What was required from the scripts folder is loaded anew; what a test put in its place stays.
local function forget_modules()
  for name, value in pairs(state.loaded or {}) do
    if package.loaded[name] == value then
      package.loaded[name] = nil
    end
  end
  state.loaded = {}
end

local function enter(application)
  if state.current ~= application then
    forget_modules()
    state.current = application
  end
  natives.enter(application.session)
end

-- ---- what require finds ----

local function note_loaded(name, loader)
  return function(...)
    local value = loader(...)
    if value == nil then
      value = package.loaded[name] == nil or package.loaded[name]
    end
    state.loaded[name] = value
    return value
  end
end

local function search(name)
  local application, problem = state.current, nil
  if not application then
    application, problem = state.open_default()
  end
  if not application then
    return problem
  elseif name == "lagoon" then
    return package.preload.lagoon
  end
  local loader, path = natives.search(application.session, name)
  if type(loader) ~= "function" then
    return loader
  end
  return note_loaded(name, loader), path
end

if not state.searcher then
  state.searcher = search
  table.insert(package.searchers, 2, function(name)
    return state.searcher(name)
  end)
end

-- ---- records ----

local FIELDS = { "type", "key", "value", "headers", "topic", "partition", "offset", "timestamp",
  "attempt" }

local function check_fields(record)
  for name in pairs(record) do
    local is_known = false
    for _, field in ipairs(FIELDS) do
      is_known = is_known or field == name
    end
    if not is_known then
      local meant = natives.did_you_mean(tostring(name), FIELDS)
      error(("a record has no field '%s'%s"):format(tostring(name),
        meant ~= "" and meant or "; it has " .. table.concat(FIELDS, ", ")), 0)
    end
  end
end

local function as_text(value, what)
  if type(value) == "string" then
    return value
  elseif math.type(value) == "integer" then
    return tostring(value)
  end
  error(("%s must be a string or an integer, got %s"):format(what, type(value)), 0)
end

local function as_integer(value, what)
  if math.type(value) ~= "integer" then
    error(("%s must be an integer, got %s"):format(what, tostring(value)), 0)
  end
  return value
end

local function header_pair(name, value)
  local null = require("lagoon").null
  return { as_text(name, "a header's name"),
    value == null and null or as_text(value, ("header '%s'"):format(name)) }
end

local function list_headers(headers)
  local list = {}
  if type(headers) ~= "table" then
    error("headers must be a table, got " .. type(headers), 0)
  end
  for _, pair in ipairs(headers) do
    if type(pair) ~= "table" then
      error("headers is a map of names to values, or a list of {name, value}", 0)
    end
    list[#list + 1] = header_pair(pair[1], pair[2])
  end
  if #list > 0 then
    return list
  end
  for name, value in pairs(headers) do
    list[#list + 1] = header_pair(name, value)
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

---By the module that is the consumer's codec, which has to be one for producers too.
local function encode_by_module(consumer, value)
  local codec = require(consumer.codec_module)
  if consumer.codec_member then
    codec = codec[consumer.codec_member]
  end
  if not codec.encode then
    error(("value must be a string: the codec of consumer '%s' has no encode"):format(
      consumer.name), 0)
  end
  return codec.encode(value)
end

local function encode(consumer, value)
  if value == nil or type(value) == "string" then
    return value
  elseif consumer.codec == "raw" then
    error(("value must be a string, as the codec of consumer '%s' is raw, got %s"):format(
      consumer.name, type(value)), 0)
  elseif consumer.codec_module then
    return encode_by_module(consumer, value)
  end
  return require("lagoon").json.encode(value)
end

local function to_record(consumer, given)
  check_fields(given)
  local headers = list_headers(given.headers or {})
  if given.type ~= nil then
    table.insert(headers, 1, { consumer.type_header, as_text(given.type, "type") })
  end
  return {
    topic = as_text(given.topic or consumer.topic, "topic"),
    partition = as_integer(given.partition or 0, "partition"),
    offset = as_integer(given.offset or 0, "offset"),
    timestamp = as_integer(given.timestamp or require("lagoon").now(), "timestamp"),
    attempt = as_integer(given.attempt or 1, "attempt"),
    key = given.key ~= nil and as_text(given.key, "key") or nil,
    value = encode(consumer, given.value),
    headers = headers,
  }
end

-- ---- the application ----

local function find_consumer(application, name)
  local names = {}
  for index, consumer in ipairs(application.consumers) do
    if consumer.name == name then
      return consumer, index
    end
    names[index] = consumer.name
  end
  local meant = natives.did_you_mean(tostring(name), names)
  error(("there is no consumer '%s' in %s%s"):format(tostring(name), application.path,
    meant ~= "" and meant or "; it has: " .. table.concat(names, " ")), 0)
end

---Headers by name, where the last one of a name counts; beside them the list.
local function name_headers(publication)
  publication.header_list, publication.headers = publication.headers, {}
  for _, header in ipairs(publication.header_list) do
    publication.headers[header[1]] = header[2]
  end
end

local function handle(application, name, record)
  local consumer, index = find_consumer(application, name)
  if type(record) ~= "table" then
    error(("a record is a table such as {type = ..., value = ...}, got %s"):format(type(record)), 0)
  end
  enter(application)
  local outcome = natives.handle(application.session, index, to_record(consumer, record))
  local published = outcome.published
  outcome.published = nil
  for _, publication in ipairs(published) do
    name_headers(publication)
  end
  return outcome, published
end

-- Mistakes of the test are raised where it made them: this is for tail calls.
local function raise_at_caller(ok, ...)
  if not ok then
    error((...), 2)
  end
  return ...
end

function Application:handle(name, record)
  return raise_at_caller(pcall(handle, self, name, record))
end

function Application:reset()
  natives.unload(self.session)
  if state.current == self then
    forget_modules()
  end
end

-- ---- the module ----

local function from_environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function open(options)
  for name in pairs(options) do
    if name ~= "config" and name ~= "scripts" then
      error(("open has no option '%s'; it has config and scripts"):format(tostring(name)), 0)
    end
  end
  local config = options.config or from_environment("LAGOON_CONFIG") or "config.lua"
  local session = natives.open(config, options.scripts or from_environment("LAGOON_SCRIPTS"))
  local application = setmetatable(natives.describe(session), Application)
  application.session = session
  enter(application)
  return application
end

function M.open(options)
  return open(options or {})
end

---@param answer fun(request: table): table?, string?
function M.http(answer)
  if answer ~= nil and type(answer) ~= "function" then
    error(("testing.http takes a function, or nil for none, got %s"):format(type(answer)), 2)
  end
  natives.http(answer)
end

local default

function M.handle(name, record)
  default = default or open({})
  return raise_at_caller(pcall(handle, default, name, record))
end

function M.reset()
  if default then
    default:reset()
  end
end

-- For a script that a test requires before it opens anything. What is looked for may as well be
-- somebody else's module: then a config that is wrong, or none, does not matter.
function state.open_default()
  if not default then
    local is_open, application = pcall(open, {})
    if not is_open then
      return nil, "lagoon.testing: " .. tostring(application)
    end
    default = application
  end
  return default
end

state.searcher = search
forget_modules()
state.current = nil
package.preload.lagoon = nil

return M

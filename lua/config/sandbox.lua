-- Runs the file that a user wrote: with what a description needs and nothing that acts.

local include = require("lagoon.config.include")
local sources = require("lagoon.config.sources")
local words = require("lagoon.config.words")

local M = {}

---@class lagoon.config.Options
---@field path string as given
---@field directory string of path
---@field is_dev boolean
---@field sets string[] what --set gave

---@class lagoon.config.Natives what the C side offers
---@field cpus integer
---@field pattern_problem fun(pattern: string): string? what is wrong with a regular expression
---@field duration fun(value: string|number): integer? milliseconds
---@field line fun(): integer of the config, that ran last
---@field real_path fun(path: string): string? without links, "." and ".."
---@field run fun(chunk: function): boolean, any, integer?, string? a result; or an error,
---  its line and the name of its chunk

-- No setmetatable: a finalizer would run where no time limit reaches it.
local BASE = { "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget",
  "rawlen", "select", "tonumber", "tostring", "type", "xpcall", "_VERSION" }

-- What a config has in their place.
local INSTEAD = { dofile = "include", io = "file", loadfile = "include", os = "env",
  require = "include" }

local function copy(library)
  local result = {}
  for name, value in pairs(library) do
    result[name] = value
  end
  return result
end

local function make_environment(report, options, natives)
  local environment = {
    env = sources.env(report, options),
    secret = sources.secret(report, options),
    file = sources.file(report, options),
    string = copy(string),
    table = copy(table),
    math = copy(math),
    utf8 = copy(utf8),
  }
  environment.include = include.new(report, environment, natives)
  environment.string.dump = nil
  for _, name in ipairs(BASE) do
    environment[name] = _G[name]
  end
  local names = {}
  for name in pairs(environment) do
    table.insert(names, name)
  end
  table.sort(names)
  return setmetatable(environment, {
    __index = function(_, name)
      error(("unknown name '%s'%s"):format(tostring(name),
        words.did_you_mean(INSTEAD[name] or words.nearest(name, names))), 2)
    end,
    __newindex = function(_, name)
      error(("must not set the global '%s', write local in front"):format(tostring(name)), 2)
    end,
  })
end

-- Whether the error may only be that a stand-in, whose variable is reported anyway, is no number.
local function may_follow(report, message)
  return #report.problems > 0 and next(report.stand_ins) ~= nil and type(message) == "string"
    and (message:find(": attempt to ", 1, true) or message:find(": bad argument ", 1, true)) ~= nil
end

local function report_error(report, value, line, chunk)
  local text = type(value) == "string" and value
    or ("the error is %s"):format(words.describe(value))
  local rest, at = report.chunks:split(text)
  if not at.line then
    at = { line = line, file = chunk and report.chunks:find(chunk) }
  end
  report:problem(at, nil, rest)
end

---@param source string
---@param options lagoon.config.Options
---@param report lagoon.config.Report
---@param natives lagoon.config.Natives
---@return any # what the file returns
---@return boolean # whether it ran to its end
function M.run(source, options, report, natives)
  local name = "=" .. report.chunks.list[1].chunk
  local chunk, message = load(source, name, "t", make_environment(report, options, natives))
  if not chunk then
    report_error(report, message)
    return nil, false
  end
  local ok, value, line, running = natives.run(chunk)
  if not ok and not may_follow(report, value) then
    report_error(report, value, line, running)
  end
  return value, ok
end

return M

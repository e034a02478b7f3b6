-- Loads a config: runs the file, checks what it returns, gives it with all defaults.

local check = require("lagoon.config.check")
local include = require("lagoon.config.include")
local lines = require("lagoon.config.lines")
local override = require("lagoon.config.override")
local reports = require("lagoon.config.report")
local sandbox = require("lagoon.config.sandbox")
local schema = require("lagoon.config.schema")
local security = require("lagoon.config.security")
local settings = require("lagoon.config.settings")

local M = {}

---@class lagoon.config.Loaded
---@field config table? as lagoon.config.check gives it; nil when there are problems
---@field problems string[]
---@field notices string[]
---@field secrets string[] values that must not be printed
---@field files string[] what was read beside the config
---@field variables string[] what was asked of the environment
---@field settings string[] as lagoon.config.settings lists them
---@field sources string[] the texts of the files that ran

local function check_value(source, value, report, options, natives)
  local entry = lines.read(source, report.chunks.list[1])
  if report:holds_stand_in(value) then
    return nil
  elseif type(value) == "table" then
    value = override.apply(value, entry, options.sets, report)
    return check.check(schema, value, entry, report, options, natives)
  end
  report:problem(entry, nil, "must return a table, got " .. report:show(value))
end

-- Within limits too: the table may be endless or as large as memory.
local function check_limited(source, value, report, options, natives)
  local count = #report.problems
  local ok, result = natives.run(function()
    return check_value(source, value, report, options, natives)
  end)
  if ok then
    return result
  end
  report:drop_problems(count)
  report:problem(nil, nil, "cannot be checked: " .. tostring(result))
end

---@param source string the file's text
---@param options lagoon.config.Options
---@param natives lagoon.config.Natives
---@return lagoon.config.Loaded
function M.load(source, options, natives)
  local report = reports.new(options.path, options.directory, natives.line)
  source = include.strip(source)
  report.chunks.list[1].source = source
  security.source(source, report)
  local value, ran = sandbox.run(source, options, report, natives)
  local config = ran and check_limited(source, value, report, options, natives) or nil
  local problems = report:list_problems()
  return {
    config = #problems == 0 and config or nil,
    problems = problems,
    notices = report:list_notices(),
    secrets = report:list_secrets(),
    files = report:list_files(),
    variables = report:list_variables(),
    settings = #problems == 0 and settings.list(config) or {},
    sources = report.chunks:list_sources(),
  }
end

return M

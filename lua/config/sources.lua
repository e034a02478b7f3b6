-- env, secret and file: what a config takes from outside. What is missing is noted and gets a
-- stand-in, so that one run names all of it.

local files = require("lagoon.config.files")

local M = {}

local TRUTH = { ["true"] = true, ["1"] = true, yes = true, on = true,
  ["false"] = false, ["0"] = false, no = false, off = false }

-- Notes that something is missing and goes on with a legal name, so that one run names all.
local function missing(report, options, name, what, problem)
  local here = report.chunks:here()
  local value = "dev-" .. tostring(name):lower():gsub("[^%w]+", "-")
  report:add_stand_in(value)
  if options.is_dev then
    report:notice(here, ('%s: %s; in dev "%s" stands in for it'):format(what, problem, value))
  else
    report:problem(here, what, problem)
  end
  return value
end

-- A call without a name is a slip of the config in any case, also in dev.
local function unnamed(report, what, needs)
  report:problem(report.chunks:here(), what, needs)
  report:add_stand_in("dev-unnamed")
  return "dev-unnamed"
end

local function convert(text, default)
  if math.type(default) == "integer" then
    return text:find("^[+-]?%d+$") and math.tointeger(tonumber(text)), "must be an integer"
  elseif type(default) == "number" then
    return tonumber(text), "must be a number"
  elseif type(default) == "boolean" then
    return TRUTH[text:lower()], "must be true or false"
  end
  return text
end

local function is_scalar(value)
  return type(value) == "string" or type(value) == "number" or type(value) == "boolean"
end

---@param report lagoon.config.Report
---@param options lagoon.config.Options
---@return function
function M.env(report, options)
  return function(name, default)
    local what = ("env(%s)"):format(report:show(name))
    local value = type(name) == "string" and report:variable(name) or ""
    if type(name) ~= "string" then
      return unnamed(report, what, "needs the name of a variable")
    elseif default ~= nil and not is_scalar(default) then
      report:problem(report.chunks:here(), what,
        "the default must be text, a number, true or false")
    elseif value == "" and default == nil then
      local problem = os.getenv(name) and "the variable is empty" or "the variable is not set"
      return missing(report, options, name, what, problem)
    elseif value ~= "" then
      local converted, must = convert(value, default)
      if converted ~= nil then
        return converted
      end
      report:problem(report.chunks:here(), what, must, value)
    end
    return default
  end
end

---@param report lagoon.config.Report
---@param options lagoon.config.Options
---@return function
function M.file(report, options)
  return function(path)
    local what = ("file(%s)"):format(report:show(path))
    if type(path) ~= "string" then
      return unnamed(report, what, "needs the path of a file")
    end
    local here = report.chunks:here()
    local bytes, problem = report:read_file(files.resolve(path, here.file.directory))
    return bytes or missing(report, options, path, what, problem)
  end
end

-- The variable, or the file that NAME_FILE names; or nil and why there is none.
local function find_secret(name, report)
  local value, path = report:variable(name), report:variable(name .. "_FILE")
  if value ~= "" and path ~= "" then
    return nil, ("both %s and %s_FILE are set, keep one of them"):format(name, name)
  elseif value == "" and path == "" then
    return nil, ("neither %s nor %s_FILE is set"):format(name, name)
  elseif value ~= "" then
    return value
  end
  local bytes, problem = report:read_file(path)
  if bytes and bytes ~= "" then
    return bytes
  end
  return nil, ("%s_FILE: %s: %s"):format(name, path, problem or "is empty")
end

---@param report lagoon.config.Report
---@param options lagoon.config.Options
---@return function
function M.secret(report, options)
  return function(name)
    local what = ("secret(%s)"):format(report:show(name))
    if type(name) ~= "string" then
      return unnamed(report, what, "needs the name of a variable")
    end
    local value, problem = find_secret(name, report)
    if not value then
      return missing(report, options, name, what, problem)
    end
    report:add_secret(value)
    return value
  end
end

return M

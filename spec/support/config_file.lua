-- A config.lua of one spec, loaded as the program does.

local config = require("unit").config
local directory = require("spec.support.directory")
local scope = require("spec.support.scope")

local M = {}

---A config in which nothing is wrong. Its lines are short on purpose: specs change one of them.
M.GOOD = [[
return {
  cluster = { brokers = "localhost:9092" },
  topics = { orders = { partitions = 2 } },
  producers = { p = { topic = "orders" } },
  consumers = {
    c = {
      topic = "orders",
      group = "g",
      handlers = { A = "handlers.a" },
    },
  },
}
]]

---@param old string text of it, once
---@param new string
---@return string source
function M.good_but(old, new)
  local first, last = M.GOOD:find(old, 1, true)
  assert(first and not M.GOOD:find(old, last + 1, true), "not once in the good config: " .. old)
  return M.GOOD:sub(1, first - 1) .. new .. M.GOOD:sub(last + 1)
end

-- The folder of the file is a new one each time.
local function without_folder(lines, folder)
  local result = {}
  for i, line in ipairs(lines) do
    result[i] = line:gsub(folder:gsub("%p", "%%%0") .. "/", "")
  end
  return result
end

-- Every `place` of the config, likewise.
local function shorten_places(value, folder)
  for key, inner in pairs(type(value) == "table" and value or {}) do
    if key == "place" then
      value.place = without_folder({ inner }, folder)[1]
    else
      shorten_places(inner, folder)
    end
  end
end

---@param source string
---@param options { is_dev: boolean?, sets: string[]?, files: table<string, string>? }?
---@return table? config, string[]? problems as if the file were called config.lua
function M.load(source, options)
  local folder = directory.with(options and options.files or {})
  local path = directory.write(folder .. "/config.lua", source)
  local loaded, problems = config.load(path, options and options.is_dev, options and options.sets)
  if loaded then
    shorten_places(loaded, folder)
    loaded.notices = without_folder(loaded.notices, folder)
  end
  return loaded, problems and without_folder(problems, folder)
end

---@param source string
---@param options table?
---@return table config
function M.good(source, options)
  local loaded, problems = M.load(source, options)
  return loaded or error(table.concat(problems, "\n"), 2)
end

---@param source string
---@param options table?
---@return string[] problems
function M.problems(source, options)
  local loaded, problems = M.load(source, options)
  return loaded and error("nothing is wrong with this config", 2) or problems
end

---Sets an environment variable until the spec ends.
---@param name string
---@param value string? nil unsets it
function M.setenv(name, value)
  local before = os.getenv(name)
  config.setenv(name, value)
  scope.defer(function()
    config.setenv(name, before)
  end)
end

return M

-- The program under test.

local uv = require("luv")

local process = require("spec.support.process")

local M = {}

local build = os.getenv("LAGOON_BUILD") or "build"

---Absolute, so that it runs in any folder.
M.path = (build:sub(1, 1) == "/" and "" or uv.cwd() .. "/") .. build .. "/lagoon"

---Starts `lagoon ARGUMENTS...`.
---@param arguments string[]
---@param options? table as in process.start
---@return spec.Process
function M.start(arguments, options)
  return process.start(table.move(arguments, 1, #arguments, 2, { M.path }), options)
end

---Runs it to its end.
---@param arguments string[]
---@param options? table as in process.start
---@param deadline_ms? integer
---@return spec.Process
function M.run(arguments, options, deadline_ms)
  return process.run(table.move(arguments, 1, #arguments, 2, { M.path }), options, deadline_ms)
end

return M

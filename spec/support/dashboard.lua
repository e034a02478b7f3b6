-- Grafana's dashboard in monitoring/: its panels, and what they ask.

local json = require("cjson")

local directory = require("spec.support.directory")

local M = {}

---@return table
function M.read()
  return json.decode(directory.read("monitoring/dashboard.json"))
end

---@param dashboard table
---@return {title: string, expression: string}[]
function M.queries(dashboard)
  local queries = {}
  for _, panel in ipairs(dashboard.panels) do
    for _, target in ipairs(panel.targets or {}) do
      table.insert(queries, { title = panel.title, expression = target.expr })
    end
  end
  return queries
end

---A query as Grafana sends it when nothing is chosen.
---@param expression string
---@param interval string between two scrapes, several times
---@return string
function M.fill_in(expression, interval)
  return (expression:gsub("%$__rate_interval", interval):gsub("%$%l+", ".*"))
end

return M

-- A Prometheus of a spec on the loopback interface, and the project's alert rules at another pace.

local directory = require("spec.support.directory")
local ports = require("spec.support.port")
local process = require("spec.support.process")
local wait = require("spec.support.wait")

local M = {}

---Where the rules stand.
M.RULES = "monitoring/alerts.yml"

local SECONDS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

-- "30m" at a hundred times the pace is "18000ms".
local function faster(duration, factor)
  local number, unit = duration:match("^(%d+)(%l+)$")
  return ("%dms"):format(math.max(1, math.floor(number * SECONDS[unit] * 1000 / factor)))
end

---The rules with all their times divided; figures that are no times stay.
---@param text string
---@param factor integer
---@return string
function M.quicken(text, factor)
  text = text:gsub("(\n *for: )(%d+%l+)", function(head, duration)
    return head .. faster(duration, factor)
  end)
  return (text:gsub("%[(%d+%l+):?(%d*%l*)%]", function(range, step)
    return ("[%s%s]"):format(faster(range, factor),
      step ~= "" and ":" .. faster(step, factor) or "")
  end))
end

local CONFIG = [[
global: { scrape_interval: %s, scrape_timeout: %s, evaluation_interval: %s }
rule_files: [%s/alerts.yml]
scrape_configs:
  - job_name: lagoon
    static_configs: [{ targets: [%s] }]
]]

---@class spec.Prometheus
---@field url string
local Prometheus = {}
Prometheus.__index = Prometheus

---@param targets string[] host:port
---@param options {factor: integer, interval: string}
---@return spec.Prometheus
function M.start(targets, options)
  local folder = directory.new()
  directory.write(folder .. "/alerts.yml",
    M.quicken(directory.read(M.RULES), options.factor))
  directory.write(folder .. "/prometheus.yml", CONFIG:format(options.interval, options.interval,
    options.interval, folder, table.concat(targets, ", ")))
  local address = ("127.0.0.1:%d"):format(ports.free())
  local self = setmetatable({ url = "http://" .. address }, Prometheus)
  self.process = process.start({ "prometheus", "--config.file=" .. folder .. "/prometheus.yml",
    "--storage.tsdb.path=" .. folder .. "/data", "--web.listen-address=" .. address,
    "--log.level=warn" })
  wait.till("Prometheus", 20000, function()
    return self.process:is_running()
      and process.run({ "promtool", "query", "instant", self.url, "1" }).code == 0,
      "\n" .. self.process:tail(20)
  end)
  return self
end

---@param expression string of PromQL
---@return {labels: table<string, string>, value: number}[]
function Prometheus:query(expression)
  local asked = process.run({ "promtool", "query", "instant", self.url, expression })
  assert(asked.code == 0, asked:tail(5))
  local series = {}
  for inner, value in asked:stdout():gmatch("{([^\n]*)} => (%S+) @[^\n]*\n") do
    local labels = {}
    for name, label in inner:gmatch('([%w_]+)="([^"]*)"') do
      labels[name] = label
    end
    table.insert(series, { labels = labels, value = tonumber(value) })
  end
  return series
end

---The alerts that fire now.
---@return table<string, string>[] labels
function Prometheus:alerts()
  local firing = {}
  for _, series in ipairs(self:query('ALERTS{alertstate="firing"}')) do
    table.insert(firing, series.labels)
  end
  return firing
end

return M

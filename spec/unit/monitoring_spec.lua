-- monitoring/ against the metrics that there are and the documents that explain them.

local lyaml = require("lyaml")

local dashboard = require("spec.support.dashboard")
local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local unit = require("unit")

local MANUAL = directory.read("docs/alerts.md")

local metrics = {}
for _, metric in ipairs(unit.metrics.table()) do
  metrics[metric.name] = metric
end

local function metric_of(name)
  local base = name:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "")
  local histogram = metrics[base]
  return metrics[name] or histogram and histogram.type == "histogram" and histogram
end

-- Names, and what is asked of their labels, are the metrics' own. `up` is Prometheus'.
local function check(expression, where)
  local text = expression:gsub('"[^"]*"', '""')
  for name in text:gmatch("%f[%w_][%a_][%w_]*_[%w_]+%f[^%w_]") do
    if name:find("^lagoon_") or name:find("^process_") then
      assert(metric_of(name), ("%s: there is no metric %s"):format(where, name))
    end
  end
  for name, matchers in expression:gmatch("([%a_][%w_]*){([^}]*)}") do
    for label, value in matchers:gmatch('([%a_]+)[=!~]+"([^"]*)"') do
      local metric = metric_of(name)
      local is_given = name == "up" or label == "job" or label == "instance" or value:find("^%$")
      local is_own = is_given
      for _, own in ipairs(metric and metric.labels or {}) do
        is_own = is_own or own == label
      end
      assert(is_own, ("%s: %s has no label %s"):format(where, name, label))
      -- The words that a label may have are in the metric's help.
      for word in (is_given and "" or value):gmatch("[%w_]+") do
        assert(metric.help:find(word, 1, true), ("%s: %s is never %s"):format(where, label, word))
      end
    end
  end
end

describe("the alert rules", function()
  local rules = {}
  for _, group in ipairs(lyaml.load(directory.read("monitoring/alerts.yml")).groups) do
    for _, rule in ipairs(group.rules) do
      table.insert(rules, rule)
    end
  end

  it("ask for metrics that there are, by labels that they have", function()
    assert.is_true(#rules > 20)
    for _, rule in ipairs(rules) do
      check(rule.expr, rule.alert)
    end
    for _, bad in ipairs({ "lagoon_nothing > 0", 'lagoon_paused{kind="x"} > 0',
      'lagoon_commits_total{result="lost"} > 0', "rate(lagoon_paused_count[5m])" }) do
      assert.is_false(pcall(check, bad, "bad"), bad)
    end
  end)

  it("say whom they are for, what is up and what to do", function()
    for _, rule in ipairs(rules) do
      assert(rule.labels.severity == "page" or rule.labels.severity == "ticket", rule.alert)
      assert.is_string(rule.annotations.summary, rule.alert)
      assert.matches("[`.]", rule.annotations.description)
    end
  end)

  it("have a section each in docs/alerts.md, which says how loud they are", function()
    local anchors = docs.anchors(MANUAL)
    local count = 0
    for _, rule in ipairs(rules) do
      local name = rule.alert
      assert.equal("docs/alerts.md#" .. name:lower(), rule.annotations.runbook)
      assert(anchors[name:lower()], "docs/alerts.md has no section " .. name)
      local time = rule["for"] and ", " .. rule["for"]:gsub("(%d+)m$", "%1 min")
        :gsub("(%d+)h$", "%1 h") or ""
      local first = docs.section(MANUAL, "### " .. name):match("^%s*([^.]+)%.")
      assert.equal(rule.labels.severity .. time, first)
    end
    for _ in MANUAL:gmatch("\n### ") do
      count = count + 1
    end
    assert.equal(#rules, count)
  end)
end)

describe("the dashboard", function()
  local board = dashboard.read()

  it("asks for metrics that there are, by labels that they have", function()
    local queries = dashboard.queries(board)
    assert.is_true(#queries > 40)
    for _, query in ipairs(queries) do
      check(query.expression, query.title)
    end
    for _, variable in ipairs(board.templating.list) do
      check(variable.definition or "", variable.name)
    end
  end)

  it("says of each panel what it shows, in a unit, from the chosen data source", function()
    local places = {}
    for _, panel in ipairs(board.panels) do
      for x = panel.gridPos.x, panel.gridPos.x + panel.gridPos.w - 1 do
        local place = x .. ":" .. panel.gridPos.y
        assert(x < 24 and not places[place], panel.title .. " stands on another panel")
        places[place] = true
      end
      if panel.type ~= "row" then
        assert.matches("%.$", panel.description, panel.title)
        assert.is_string(panel.fieldConfig.defaults.unit, panel.title)
        assert.equal("${datasource}", panel.datasource.uid)
      end
    end
  end)
end)

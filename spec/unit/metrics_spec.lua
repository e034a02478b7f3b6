local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local exposition = require("spec.support.exposition")
local unit = require("unit")

local metrics = unit.metrics

describe("the metrics", function()
  it("are all in docs/metrics.md, and no others", function()
    local expected, listed = {}, {}
    for _, metric in ipairs(metrics.table()) do
      local labels = {}
      for _, label in ipairs(metric.labels) do
        table.insert(labels, "`" .. label .. "`")
      end
      expected["`" .. metric.name .. "`"] = { metric.type, table.concat(labels, ", "),
        metric.help }
    end
    for _, cells in ipairs(docs.rows(docs.section(directory.read("docs/metrics.md"),
      "## All metrics"))) do
      listed[cells[1]] = { cells[2], cells[3], cells[4] }
    end
    assert.same(expected, listed)
  end)

  it("are named as Prometheus names them", function()
    for _, metric in ipairs(metrics.table()) do
      assert.matches("^[a-z][a-z0-9_]*$", metric.name)
      assert.equal(metric.type == "counter", metric.name:find("_total$") ~= nil, metric.name)
      assert.is_nil(metric.help:find("[\\\n]"), metric.name)
      assert.matches("%.$", metric.help)
    end
  end)

  it("are written with their help in front, each in one piece", function()
    assert.equal([[
# HELP lagoon_generation Number of the reading of config and scripts that serves.
# TYPE lagoon_generation gauge
lagoon_generation 1.5
# HELP lagoon_retries_total Runs of a handler that failed and are tried again.
# TYPE lagoon_retries_total counter
lagoon_retries_total{consumer="a"} 9007199254740
lagoon_retries_total{consumer="b"} 0
]], metrics.text("a", 1.5, 9007199254740))
  end)

  it("escape what a name has", function()
    local text = metrics.text('a"b\\c\nd', 1, 2)
    assert.matches('lagoon_retries_total{consumer="a\\"b\\\\c\\nd"} 2\n', text, 1, true)
    assert.equal(2, exposition.value(exposition.parse(text), "lagoon_retries_total",
      { consumer = 'a"b\\c\nd' }))
  end)

  it("count a duration in its bucket and all above", function()
    local parsed = exposition.parse(metrics.histogram(0, 100, 101, 1000000, 500000000))
    local function bucket(bound)
      return exposition.value(parsed, "lagoon_handler_duration_seconds_bucket",
        { consumer = "c", le = bound })
    end
    assert.same({ 2, 3, 3, 4, 4, 5 }, { bucket("0.0001"), bucket("0.0005"), bucket("0.25"),
      bucket("1"), bucket("120"), bucket("+Inf") })
    assert.equal(5, exposition.value(parsed, "lagoon_handler_duration_seconds_count",
      { consumer = "c" }))
    assert.equal(501.000201, exposition.value(parsed, "lagoon_handler_duration_seconds_sum",
      { consumer = "c" }))
  end)
end)

describe("the check of the exposition format", function()
  it("refuses what Prometheus would", function()
    local head = "# HELP a A.\n# TYPE a gauge\n"
    for text, problem in pairs({
      ["a 1\n"] = "no TYPE",
      [head .. "a 1"] = "newline",
      [head .. "a one\n"] = "no sample",
      [head .. "a{b=1} 1\n"] = "no sample",
      [head .. "a 1\na 2\n"] = "twice",
      [head .. "a 1\n# HELP b B.\n# TYPE b gauge\nb 1\n" .. "a{c=\"\"} 1\n"] = "apart",
      [head .. head .. "a 1\n"] = "twice",
      ["# HELP a A.\n# TYPE a counter\na 1\n"] = "_total",
      ["# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_sum 1\na_count 1\n"] = "+Inf",
      ["# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\n"
        .. "a_count 1\n"] = "falls",
    }) do
      local ok, message = pcall(exposition.parse, text)
      assert.is_false(ok, text)
      assert.matches(problem, message, 1, true)
    end
  end)
end)

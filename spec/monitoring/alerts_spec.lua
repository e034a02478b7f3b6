-- Every alert rule fires by its cause, and none for an application that is well: real processes, a
-- real Prometheus, and the rules at a faster pace.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local causes = require("spec.monitoring.causes")
local dashboard = require("spec.support.dashboard")
local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local ports = require("spec.support.port")
local process = require("spec.support.process")
local prometheus = require("spec.support.prometheus")
local run = require("spec.support.run")
local uv = require("luv")
local wait = require("spec.support.wait")

-- An hour is 24 s.
local PACE = { factor = 150, interval = "500ms" }
-- No process can be brought there within seconds, or not without taking a CPU from its neighbours;
-- rules_test.yml plays these.
local PLAYED = { LagoonCpuExhausted = true, LagoonRebalances = true }

describe("the alert rules", function()
  local broker, gone, server
  local listens, addresses = {}, {}
  local seen = {}
  local expected = {}
  local cut, ending, ends

  -- `around` is a command that runs it.
  local function start(name, app, around)
    local command = around or {}
    table.move({ lagoon.path, "run", "--listen", listens[name] }, 1, 4, #command + 1, command)
    return run.new(process.start(command, { directory = app.folder }))
  end

  -- Alerts that fired so far, by name and what they are about.
  local function look()
    for _, labels in ipairs(server:alerts()) do
      local subject = labels.consumer or labels.producer or labels.client
        or addresses[labels.instance] or "all"
      seen[labels.alertname] = seen[labels.alertname] or {}
      seen[labels.alertname][subject] = true
    end
  end

  -- One process ends and starts until that is an alert, and then is not there any more. Each start
  -- is in Prometheus before the next.
  local started_at = 0
  local function begin_again()
    local known = ends and server:query(("process_start_time_seconds{instance=%q} > %.3f")
      :format(listens.ends, started_at))
    if not ends or #known == 0 then
      return
    end
    ends.process:signal("sigkill")
    ends.process:wait_exit()
    started_at = known[1].value
    ends = not seen.LagoonRestarts and start("ends", ending) or nil
  end

  -- As soon as Prometheus has seen that there was a connection, and what the process did by it.
  local function take_broker_away()
    if gone.process:is_running()
        and #server:query('lagoon_kafka_broker_connected{client="away"} == 1') > 0
        and #server:query("lagoon_log_lines_dropped_total > 0") > 0 then
      gone.process:signal("sigkill")
    end
  end

  local function start_all()
    local well, ill = causes.well(broker), causes.ill(broker)
    local healthy, sick = start("well", well), start("ill", ill.app)
    cut = causes.cut()
    local cut_off = start("cut", cut.app, { "prlimit", "--nofile=200", "--" })
    ending = application.new(broker.brokers, { producers = { out = { topic = "t" } } })
    ends = start("ends", ending)
    start("away", causes.away(gone), { "sh", "-c", 'exec "$0" "$@" 2> /dev/full' })
    cut_off:wait_assigned("cut")
    wait.till("the first figures of all", 20000, function()
      return #server:query("rate(process_start_time_seconds[10s]) >= 0") == 5
    end)
    healthy:wait_assigned("well")
    causes.feed_well(broker, well)
    causes.feed_away(gone)
    cut.begin()
    ill.begin(sick)
  end

  local function missing()
    local names = {}
    for name in pairs(expected) do
      local subject = assert(causes.SUBJECTS[name], "nothing is a cause of " .. name)
      if not (seen[name] or {})[subject] then
        table.insert(names, name)
      end
    end
    table.sort(names)
    return names
  end

  setup(function()
    gone = brokers.start_embedded()
    broker = brokers.start_embedded()
    local targets = {}
    for _, name in ipairs({ "well", "ill", "cut", "ends", "away" }) do
      listens[name] = ("127.0.0.1:%d"):format(ports.free())
      addresses[listens[name]] = name
      table.insert(targets, listens[name])
    end
    server = prometheus.start(targets, PACE)
    for name in directory.read(prometheus.RULES):gmatch("alert: (%w+)") do
      expected[name] = not PLAYED[name] or nil
    end
    for name in pairs(PLAYED) do
      assert(directory.read("spec/monitoring/rules_test.yml"):find(
        "alertname: " .. name .. "\n +exp_alerts"), name .. " is not played")
    end
    start_all()
  end)

  teardown(function()
    cut.close()
  end)

  it("fire by their causes, and not for what is well", function()
    local looked_at = 0
    wait.till("all alerts to fire", 60000, function()
      -- Nothing changes more often.
      if uv.now() - looked_at >= 500 then
        look()
        begin_again()
        take_broker_away()
        looked_at = uv.now()
      end
      local names = missing()
      return #names == 0, table.concat(names, ", ")
    end)
    for name, subjects in pairs(seen) do
      assert.is_nil(subjects.well, name)
    end
  end)

  -- With these applications behind it no panel is empty.
  it("ask as the dashboard does, whose queries are all answered", function()
    for _, query in ipairs(dashboard.queries(dashboard.read())) do
      local expression = dashboard.fill_in(query.expression, "20s")
      assert(#server:query(expression) > 0, query.title .. ": " .. expression)
    end
  end)
end)

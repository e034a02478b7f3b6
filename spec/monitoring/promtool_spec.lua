-- What Prometheus' own tool says of the metrics and of the rules.

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local process = require("spec.support.process")
local prometheus = require("spec.support.prometheus")
local wait = require("spec.support.wait")

local function promtool(arguments, input)
  local command = { "promtool", table.unpack(arguments) }
  return process.run(command, { input = input })
end

describe("promtool", function()
  it("has nothing to say about the metrics of a process at work", function()
    local broker = brokers.start_embedded()
    local topic = broker:new_topic("checked", 2)
    local app = application.new(broker.brokers, {
      producers = { out = { topic = topic } },
      consumers = { c = { topic = topic, group = topic, handlers = { Event = "handlers.none" } } },
    }, { ["handlers/none"] = "return function() end" })
    local run = app:start({ "run", "--listen", "127.0.0.1:0" })
    local url = admin.url_of(run)
    run:wait_assigned("c")
    broker:produce(topic, { { key = "a", value = "{}" } },
      { headers = { { "Message-Type", "Event" } } })
    local text
    wait.till("the lag of a partition", 10000, function()
      text = admin.ask(url, "GET", "/metrics").body
      return text:find("lagoon_lag_records{", 1, true)
    end)
    local checked = promtool({ "check", "metrics" }, text)
    assert.same({ 0, "", "" }, { checked.code, checked:stdout(), checked:stderr() })
    assert.equal(0, run:stop())
  end)

  it("takes the rules, and finds them quiet on a good day", function()
    local checked = promtool({ "check", "rules", "--lint=all", "--lint-fatal", prometheus.RULES })
    assert(checked.code == 0, checked:tail())
    local played = promtool({ "test", "rules", "spec/monitoring/rules_test.yml" })
    assert(played.code == 0, played:tail())
  end)
end)

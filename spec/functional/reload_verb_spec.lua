-- Verbs that change what a running process runs, and what they answer.

local json = require("cjson")
local uv = require("luv")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

describe("lagoon reload", function()
  local broker, app, lagoon, topic

  local function write(text)
    app:script("handlers/handler", ([[
      local journal = require("journal")
      return function(event) journal.note({ n = event.n, text = "%s" }) end
    ]]):format(text))
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("verbs", 1)
    app = application.new(broker.brokers, {
      consumers = {
        reader = { topic = topic, group = topic, handlers = { Event = "handlers.handler" } },
      },
    })
    write("first")
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("reader")
  end)

  teardown(function()
    assert.equal(0, lagoon:stop())
  end)

  local function see(n)
    broker:produce(topic, { { value = ('{"n":%d}'):format(n) } },
      { headers = { { "Message-Type", "Event" } } })
    return app:wait_journal(1, { n = n })[1].text
  end

  local function status()
    return json.decode(select(2, app:ask("status", "--json")))
  end

  it("says that nobody answers to a name, and that there is nothing to go back to", function()
    local code, text = app:ask("reload", "--instance", "nobody")
    assert.equal(4, code)
    assert.matches("^lagoon reload: ", text)
    assert.matches("^lagoon rollback: there is nothing to go back to",
      select(2, app:ask("rollback")))
  end)

  it("says what serves from now on", function()
    assert.equal("first", see(1))
    assert.same({ 0, "nothing has changed, generation 1 goes on\n" }, { app:ask("reload") })
    write("second")
    local began = uv.hrtime()
    local code, text = app:ask("reload")
    assert.is_true((uv.hrtime() - began) / 1e9 < 2 * wait.patience)
    assert.equal(0, code)
    assert.matches("^reloaded, generation 2 runs, hash %x+: scripts/handlers/handler.lua\n$", text)
    assert.equal("second", see(2))
    assert.equal(2, status().generation)
  end)

  it("goes back to what served before", function()
    local code, text = app:ask("rollback")
    assert.equal(0, code, text)
    assert.matches("^reloaded, generation 3 runs, hash %x+: scripts/handlers/handler.lua\n$", text)
    assert.equal("first", see(3))
    assert.matches("^reloaded, generation 4 runs", select(2, app:ask("reload")))
    assert.equal("second", see(4))
  end)

  it("says why what is there would not start, and the status goes on to say so", function()
    app:script("handlers/handler", "local function broken()\n  error('no luck')\nend\nbroken()")
    local code, text = app:ask("reload")
    assert.equal(3, code)
    assert.matches("^reload refused, still running generation 4: .*handler.lua:2: no luck\n", text)
    assert.equal(3, (app:ask("reload", "--json")))
    assert.matches("handler.lua:2: no luck", status().refusal)
    assert.matches("would not start: .*handler.lua:2: no luck\n", select(2, app:ask("status")))
    assert.equal("second", see(5))
    write("second")
    assert.same({ 0, "nothing has changed, generation 4 goes on\n" }, { app:ask("reload") })
    assert.equal(json.null, status().refusal)
  end)
end)

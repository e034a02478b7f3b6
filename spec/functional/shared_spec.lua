-- What all workers have in common, and what becomes of it.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local HANDLER = [[
local lagoon = require("lagoon")
local journal = require("journal")
local counts = lagoon.shared("counts")
local at_top = counts:incr("tops")

return {
  on_load = function() lagoon.shared("counts"):incr("loads") end,
  on_unload = function() counts:incr("unloads") end,
  handle = function(event, context)
    if event.ask then
      journal.note({ ask = event.ask, text = "%s", sum = counts:get("sum"), at_top = at_top,
        float = counts:get("float"), loads = counts:get("loads"), unloads = counts:get("unloads"),
        tops = counts:get("tops"), gone = counts:get("gone") == nil, worker = context.worker })
      return
    end
    counts:incr("float", 0.5)
    counts:set("gone", event.n, { ttl = 0.001 })
    if counts:add(context:id(), true) then
      counts:incr("records")
    end
    counts:incr("sum", event.n) -- the last: whoever finds all in it finds all of the others
    if event.fill then
      local kept = lagoon.shared("kept")
      lagoon.shared("cache", { evict = true }):set("entry", ("x"):rep(30000))
      local is_kept, reason = pcall(function()
        for i = 1, 100 do
          kept:set(i, ("x"):rep(10000))
        end
      end)
      journal.note({ fill = true, is_kept = is_kept, reason = reason })
    end
  end,
}
]]

describe("what the workers share", function()
  local RECORDS <const>, WORKERS <const> = 2000, 10
  local broker, app, lagoon, topic

  local function produce(values)
    broker:produce(topic, values, { headers = { { "Message-Type", "Event" } } })
  end

  local function ask(name)
    produce({ { value = json.encode({ ask = name }) } })
    return app:wait_journal(1, { ask = name })[1]
  end

  -- Waits till the records before it have been handled.
  local function ask_for_sum(name, sum)
    local last
    wait.till("the sum " .. sum, 20000, function()
      last = ask(name .. tostring(os.clock()))
      return last.sum == sum
    end)
    return last
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("shared", 4)
    app = application.new(broker.brokers, {
      shared = { memory_limit = "512KiB" },
      consumers = {
        reader = { topic = topic, group = topic, workers = WORKERS, distribution = "free_worker",
          handlers = { Event = "handlers.handler" } },
      },
    })
    app:script("handlers/handler", HANDLER:format("first"))
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("reader")
  end)

  local function status()
    local run = app:run({ "status", "--json" })
    return json.decode(run.process:stdout()).shared
  end

  it("is exact with ten of them at it", function()
    local values = {}
    for n = 1, RECORDS do
      values[n] = { key = tostring(n), value = json.encode({ n = n }) }
    end
    produce(values)
    local seen = ask_for_sum("sum", RECORDS * (RECORDS + 1) // 2)
    assert.equal(RECORDS / 2, seen.float)
    assert.equal(WORKERS, seen.loads)
    assert.equal(WORKERS, seen.tops)
    assert.is_nil(seen.unloads)
    wait.till("the ttl", 5000, function()
      return ask("ttl" .. tostring(os.clock())).gone
    end)
    assert.is_true(status().keys > RECORDS)
  end)

  it("outlives a reload, and a refused one, whose check does not touch it", function()
    app:script("handlers/handler", HANDLER:format("second"))
    assert.equal(0, app:run({ "reload" }).process.code)
    local seen = ask_for_sum("reload", RECORDS * (RECORDS + 1) // 2)
    assert.equal("second", seen.text)
    assert.same({ 2 * WORKERS, 2 * WORKERS }, { seen.loads, seen.tops })
    assert.is_true(seen.at_top > WORKERS)
    wait.till("the old states' on_unload", 5000, function()
      return ask("unload" .. tostring(os.clock())).unloads == WORKERS
    end)
    app:script("handlers/handler", HANDLER:format("third") .. "error('no')")
    assert.equal(3, app:run({ "reload" }).process.code)
    assert.equal(2 * WORKERS, ask("refused").tops)
  end)

  it("raises where it is full, when the caches have given way", function()
    produce({ { value = '{"n":0,"fill":true}' } })
    local entry = app:wait_journal(1, { fill = true })[1]
    assert.is_false(entry.is_kept)
    assert.matches("lagoon.shared 'kept': set: no room: what is shared takes 512 KiB", entry.reason)
    assert.equal(RECORDS * (RECORDS + 1) // 2, ask("full").sum)
    local shared = status()
    assert.same({ 1, 512 * 1024 }, { shared.evicted, shared.limit_bytes })
    assert.is_true(shared.refused >= 1)
    assert.matches("\nlagoon.shared: %d+ keys, %d+%.?%d* KiB of 512 KiB, 1 evicted, " ..
      "%d+ writes? refused", app:run({ "status" }).process:stdout())
  end)

  it("is empty after another start", function()
    assert.equal(0, lagoon:stop())
    app:script("handlers/handler", HANDLER:format("fourth"))
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("reader")
    local seen = ask("again")
    assert.is_nil(seen.sum)
    assert.equal(WORKERS, seen.tops)
    assert.equal(0, lagoon:stop())
  end)
end)

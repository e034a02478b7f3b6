-- A partition that stands still is named, with the record that holds it; one that waits as planned
-- is not.

local json = require("cjson")

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local exposition = require("spec.support.exposition")
local wait = require("spec.support.wait")

local WAITS, BLOCKS, RETRIES, HELD, PUBLISHES = 0, 1, 2, 3, 4

describe("a partition that stands still", function()
  local broker, far, app, lagoon, topic, held, url

  local function consumer(name)
    return { cluster = "near", topic = name, group = name, distribution = "partition", workers = 2,
      commit_interval = "50ms", handler_timeout = false, stall_after = "1s",
      on_error = { backoff = "1h", max_backoff = "1h" },
      handlers = { Event = "handlers.stalls" } }
  end

  local function produce(to, partition, value, headers)
    broker:produce(to, { { key = "order-7" .. ("x"):rep(100), value = value } },
      { partition = partition, headers = headers })
  end

  setup(function()
    broker, far = brokers.start(), brokers.start_embedded()
    topic, held = broker:new_topic("stall", 5), broker:new_topic("held", 1)
    app = application.new(nil, {
      clusters = { near = { brokers = broker.brokers }, far = { brokers = far.brokers } },
      producers = { out = { cluster = "far", topic = far:new_topic("far", 1) } },
      consumers = { c = consumer(topic), paused = consumer(held) } }, {
      ["handlers/stalls"] = [[
        local gate, journal = require("gate"), require("journal")
        local out = require("lagoon").producer("out")
        return function(event, context)
          journal.record(context)
          if event.does == "wait" then gate.wait("waits") end
          if event.does == "block" then gate.block("blocks") end
          if event.does == "publish" then out:publish("Sent", {}) end
          if event.does == "fail" then error("not yet") end
        end
      ]] })
    app:make_blocking_gate("blocks")
    lagoon = app:start({ "run", "--listen", "127.0.0.1:0" })
    url = admin.url_of(lagoon)
    lagoon:wait_assigned("c")
    lagoon:wait_assigned("paused")
    assert.equal(0, app:run({ "pause", "paused" }).process.code)
    far.process:signal("sigstop")
    produce(topic, PUBLISHES, '{"type":"Event","does":"publish"}')
    produce(topic, WAITS, '{"does":"wait"}', { { "Message-Type", "My.Shop.Event, Shop" } })
    produce(topic, BLOCKS, '{"type":"Event","does":"block"}')
    produce(topic, RETRIES, '{"type":"Event","does":"fail"}')
    produce(topic, HELD, '{"type":"Event"}')
    produce(held, 0, '{"type":"Event"}')
  end)

  teardown(function()
    far.process:signal("sigcont")
    assert.equal(0, lagoon:stop())
  end)

  local function status(partition, name)
    local answer = json.decode(app:run({ "status", "--json" }).process:stdout())
    for _, found in ipairs(answer.consumers) do
      if found.name == (name or "c") then
        return found.partitions[partition + 1], found
      end
    end
  end

  local function is_stalled(partition, of)
    local parsed = exposition.parse(admin.ask(url, "GET", "/metrics").body)
    return exposition.value(parsed, "lagoon_partition_stalled",
      { consumer = of or "c", topic = of and held or topic, partition = tostring(partition) })
  end

  for partition, words in pairs({ [WAITS] = "wait", [BLOCKS] = "block" }) do
    it(("is named where a handler does not end: %ss"):format(words), function()
      local line = lagoon:wait_log("^consumer c: %S+ stands still for %d+ s: the handler of its "
        .. "oldest record does not end: look at what it calls or waits for$",
        { partition = partition })
      assert.same({ "warn", topic, 0, ("order-7" .. ("x"):rep(100)):sub(1, 64),
        "handlers.stalls" }, { line.level, line.topic, line.offset, line.key, line.handler })
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", line.since)
      assert.equal(1, is_stalled(partition))
      local place = status(partition)
      assert.same({ true, 0, "running", "handlers.stalls", 1 }, { place.is_stalled,
        place.oldest.offset, place.oldest.state, place.stalled.handler, place.oldest.attempt })
      assert.is_true(place.stalled.for_ms >= 1000 and place.oldest.age_ms >= 1000)
      assert.matches("^the handler of its oldest record does not end", place.stalled.reason)
    end)
  end

  it("is named where what a handler published is not acknowledged, and goes on with it", function()
    lagoon:wait_log("^consumer c: %S+ stands still for %d+ s: the handler of its oldest record has "
      .. "returned, and what it published is not acknowledged: ", { partition = PUBLISHES })
    local place = status(PUBLISHES)
    assert.same({ true, "awaits acknowledgements", 0 },
      { place.is_stalled, place.oldest.state, place.running })
    far.process:signal("sigcont")
    lagoon:wait_log("^consumer c: %S+ stands still no more", { partition = PUBLISHES })
    wait.till("its commit", 10000, function()
      return status(PUBLISHES).committed == 1
    end)
  end)

  it("is shown to people in 80 columns, with what holds it", function()
    local text = app:run({ "status" }).process:stdout()
    assert.matches("\n    stands still for %d+s at offset 0 %(handlers%.stalls%):\n", text)
    assert.matches("\n  errors: handler 1\n", text, 1, true)
    for line in text:gmatch("[^\n]+") do
      assert.is_true(#line <= 80, line)
    end
  end)

  it("is none that waits for its retry, that is paused, or whose records end", function()
    app:wait_journal(1, { partition = HELD })
    local place, found = status(RETRIES)
    assert.same({ false, "retry", 0 }, { place.is_stalled, place.oldest.state,
      is_stalled(RETRIES) })
    assert.same({ 1, "not yet" },
      { found.errors.handler.count, found.errors.handler.last:match("not yet$") })
    assert.equal(1, found.errors.handler.last:find(topic .. "[2]@0: ", 1, true))
    assert.is_true(found.errors.handler.at > 1700000000000)
    assert.is_nil(found.errors.timeout)
    place = status(0, "paused")
    assert.same({ false, 0, 0 }, { place.is_stalled, is_stalled(0, "paused"), place.unsettled })
    assert.equal(0, is_stalled(HELD))
  end)

  it("is named once, and goes on when its handler ends", function()
    app:open_gate("waits")
    app:open_blocking_gate("blocks")
    for partition in pairs({ [WAITS] = true, [BLOCKS] = true }) do
      lagoon:wait_log("^consumer c: %S+ stands still no more, after %d+ s$",
        { partition = partition })
      wait.till("it settles", 10000, function()
        return is_stalled(partition) == 0 and status(partition).oldest == nil
      end)
    end
    for partition, count in pairs({ [WAITS] = 1, [BLOCKS] = 1, [RETRIES] = 0, [HELD] = 0 }) do
      assert.equal(count, #lagoon:log("stands still for", { partition = partition }))
    end
  end)
end)

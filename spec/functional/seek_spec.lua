-- A running consumer goes on elsewhere.

local json = require("cjson")

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local COUNT = 10

describe("lagoon seek", function()
  local broker, app, run, url, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("seek", 2)
    app = application.new(broker.brokers, {
      consumers = {
        c = { topic = topic, group = brokers.unique("seek"), workers = 2, drain_timeout = "10s",
          commit_interval = "50ms", handlers = { Event = "handlers.notes" } },
      },
    }, { ["handlers/notes"] = [[
      local gate, journal = require("gate"), require("journal")
      return function(event, context)
        journal.record(context)
        if event.gate then gate.wait(event.gate) end
      end
    ]] })
    run = app:start({ "run", "--listen", "127.0.0.1:0" })
    url = admin.url_of(run)
    run:wait_assigned("c")
    for partition = 0, 1 do
      local records = {}
      for i = 1, COUNT do
        records[i] = { key = "k" .. i, value = "{}" }
      end
      broker:produce(topic, records, { partition = partition,
        headers = { { "Message-Type", "Event" } } })
    end
    app:wait_journal(2 * COUNT)
  end)

  teardown(function()
    assert.equal(0, run:stop())
  end)

  local function lagoon(...)
    return app:ask(...)
  end

  local function wait_committed(offsets)
    wait.till("these offsets to be committed: " .. table.concat(offsets, " "), 10000, function()
      local partitions = admin.json(url, "GET", "/v1/status").consumers[1].partitions
      return partitions[1].committed == offsets[1] and partitions[2].committed == offsets[2]
    end)
  end

  -- The offsets of a partition that were handled after the first `seen` records.
  local function handled(partition, seen)
    local offsets = {}
    for i, entry in ipairs(app:journal()) do
      if i > seen and entry.partition == partition then
        table.insert(offsets, math.tointeger(entry.offset))
      end
    end
    table.sort(offsets)
    return offsets
  end

  it("only says where it would go on, when it is asked for that", function()
    wait_committed({ COUNT, COUNT })
    assert.same({ 0, ("%s[0]: offset 10 -> 7 would be the move\n"):format(topic) },
      { lagoon("seek", "c", "--to", "-3", "--partition", "0", "--dry-run") })
    wait_committed({ COUNT, COUNT })
    assert.equal(2 * COUNT, #app:journal())
  end)

  it("handles again what comes after that, of the partition that is meant", function()
    assert.same({ 0, ("%s[0]: offset 10 -> 7\n"):format(topic) },
      { lagoon("seek", "c", "--to", "-3", "--partition", "0") })
    app:wait_journal(2 * COUNT + 3)
    wait_committed({ COUNT, COUNT })
    assert.same({ { 7, 8, 9 }, {} }, { handled(0, 2 * COUNT), handled(1, 2 * COUNT) })
    assert.equal(1, #run:log("offset 10 %-> 7, as was asked for$"))
  end)

  it("moves all partitions, no further than there are records", function()
    local seen = #app:journal()
    assert.same({ 0, ("%s[0]: offset 10 -> 0\n%s[1]: offset 10 -> 0\n"):format(topic, topic) },
      { lagoon("seek", "c", "--to", "-1000") })
    app:wait_journal(seen + 2 * COUNT)
    wait_committed({ COUNT, COUNT })
    assert.same({ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, handled(1, seen))
    assert.equal(seen + 2 * COUNT, #app:journal())
  end)

  it("commits the new offset before anything of it is handled, also of a paused one", function()
    local seen = #app:journal()
    assert.equal(0, (lagoon("pause", "c")))
    assert.equal(0, (lagoon("seek", "c", "--to", "4", "--topic", topic, "--partition", "1")))
    wait_committed({ COUNT, 4 })
    assert.equal(seen, #app:journal())
    assert.equal(0, (lagoon("resume", "c")))
    app:wait_journal(seen + 6)
    wait_committed({ COUNT, COUNT })
    assert.same({ 4, 5, 6, 7, 8, 9 }, handled(1, seen))
  end)

  it("waits for what has begun, and leaves out what it passes", function()
    broker:produce(topic, { { key = "a", value = '{"gate":"g"}' }, { key = "a", value = "{}" } },
      { partition = 0, headers = { { "Message-Type", "Event" } } })
    local seen = 2 * COUNT + 3 + 2 * COUNT + 6
    app:wait_journal(seen + 1)
    local number = admin.json(url, "POST", "/v1/consumers/c/seek",
      { body = '{"to":"end","partition":0}' }).seek
    local function state()
      return admin.json(url, "POST", "/v1/consumers/c/seek",
        { body = json.encode({ seek = number }) })
    end
    wait.till("the helper", 10000, function()
      return state().partitions
    end)
    assert.equal("pending", state().state)
    assert.matches("consumer c seeks already", select(2, lagoon("seek", "c", "--to", "end")))
    app:open_gate("g")
    wait.till("its end", 10000, function()
      return state().state == "done"
    end)
    assert.same({ from = 10, to = 12, partition = 0, topic = topic, state = "moved" },
      state().partitions[1])
    wait_committed({ 12, COUNT })
    assert.same({ 10 }, handled(0, seen))
  end)

  it("says what it does not understand", function()
    for where, message in pairs({
      tomorrow = "where to is beginning, end, an offset, ", ["2026-01-31"] = "where to is ",
      ["5"] = "an offset is one partition's: name it by --topic and --partition" }) do
      local code, said = lagoon("seek", "c", "--to", where)
      assert.equal(2, code)
      assert.matches(message, said, 1, true)
    end
    assert.matches("nothing of it is assigned to this process",
      select(2, lagoon("seek", "c", "--to", "0", "--partition", "7")))
    assert.matches("--to says where", select(2, lagoon("seek", "c")), 1, true)
    assert.matches('"to" is missing',
      admin.json(url, "POST", "/v1/consumers/c/seek", { body = "{}" }, 400).error)
  end)
end)

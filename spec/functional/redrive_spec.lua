-- What was given up is listed, shown, and sent back once its cause is mended.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local unit = require("unit")
local wait = require("spec.support.wait")

local HANDLER = [[
local journal = require("journal")
local lagoon = require("lagoon")

return function(event, context)
  if not lagoon.env("MENDED", false) then
    lagoon.dead_letter("no stock")
  end
  journal.record(context, { n = event.n, rounds = context:header("lagoon-redrive-count") })
  if event.n == 2 then
    lagoon.dead_letter("still none")
  end
end
]]

describe("lagoon dead-letters", function()
  local broker, app, topic

  local function dead_letters(...)
    local run = app:run({ "dead-letters", "c", ... }).process
    return { run.code, run:stdout(), run:stderr() }
  end

  ---Waits until so many letters are there.
  local function wait_letters(count)
    local letters = ("%s.%s.dead-letter"):format(topic, topic)
    wait.till("the topic of the dead letters", 20000, function()
      return (unit.kafka.partitions(broker.brokers, letters) or 0) > 0
    end)
    broker:consume(letters, { count = count })
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("redrives", 3)
    app = application.new(broker.brokers, { consumers = {
      c = { topic = topic, group = topic, workers = 1, commit_interval = "50ms",
        handlers = { Event = "handlers.work" } },
    } }, { ["handlers/work"] = HANDLER })
    local lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
    for n = 1, 3 do
      broker:produce(topic, { { key = "k" .. n, value = ('{"n":%d}'):format(n) } },
        { partition = n - 1, headers = { { "Message-Type", "Event" }, { "own", "yes" } } })
    end
    wait_letters(3)
    assert.equal(0, lagoon:stop())
  end)

  it("lists them, a line each, as often as it is asked", function()
    for _ = 1, 2 do
      local code, out, err = table.unpack(dead_letters())
      assert.same({ 0, "3 letters\n" }, { code, err })
      local lines = {}
      for line in out:gmatch("[^\n]+") do
        table.insert(lines, line)
      end
      table.sort(lines)
      assert.equal(3, #lines)
      assert.equal(("%s.%s.dead-letter[1]@0  %s[1]@0  1 attempts  no stock"):format(topic, topic,
        topic), lines[2])
    end
  end)

  it("shows one whole", function()
    local code, out = table.unpack(dead_letters("show", "--limit", "1"))
    assert.equal(0, code)
    assert.matches("\nkey: k%d\nMessage%-Type: Event\nown: yes\nlagoon%-dead%-letter%-topic: ", out)
    assert.matches('\nlagoon%-dead%-letter%-error: no stock\n\n{"n":%d}\n', out)
  end)

  it("sends nothing when it only says what it would do", function()
    local code, out, err = table.unpack(dead_letters("redrive", "--dry-run"))
    assert.same({ 0, "3 letters would be sent back\n" }, { code, err })
    assert.matches(topic .. "[0]@0", out, 1, true)
    assert.same({ [0] = 1, 1, 1 }, broker:end_offsets(topic, 3))
  end)

  it("sends them back, once each, until one has come back three times", function()
    assert.same({ 0, "", "1 letter sent back, acknowledged\n" }, dead_letters("redrive", "--limit",
      "1"))
    assert.same({ 0, "", "2 letters sent back, acknowledged\n" }, dead_letters("redrive"))
    assert.same({ 0, "", "0 letters sent back, acknowledged\n" }, dead_letters("redrive"))
    local mended = app:start({ "run" }, { env = { MENDED = "true" } })
    mended:wait_assigned("c")
    app:wait_journal(3, { rounds = "1" })
    for round = 2, 3 do
      wait_letters(2 + round)
      assert.same({ 0, "", "1 letter sent back, acknowledged\n" }, dead_letters("redrive"))
      app:wait_journal(1, { rounds = tostring(round), n = 2 })
    end
    wait_letters(6)
    local code, _, err = table.unpack(dead_letters("redrive"))
    assert.equal(5, code)
    assert.matches("%[1%]@3 came back 3 times and is left\n0 letters sent back", err)
    assert.equal(0, mended:stop())
    local sent = broker:consume(topic, { partition = 1 })
    assert.same({ { "Message-Type", "Event" }, { "own", "yes" }, { "lagoon-redrive-count", "3" } },
      sent[4].headers)
    assert.same({ "k2", '{"n":2}' }, { sent[4].key, sent[4].value })
  end)

  it("says when no broker answers", function()
    local away = application.new("127.0.0.1:1", { consumers = {
      c = { topic = topic, group = topic, handlers = { Event = "handlers.work" } },
    } }, { ["handlers/work"] = HANDLER })
    local run = away:run({ "dead-letters", "c", "--timeout", "300ms" }).process
    assert.equal(4, run.code)
    assert.matches("^lagoon dead%-letters: no broker of 127.0.0.1:1 answers: ", run:stderr())
  end)

  it("says what is wrong with what it is asked for", function()
    local run = app:run({ "dead-letters", "zzz" }).process
    assert.same({ 2, "lagoon dead-letters: there is no consumer 'zzz' in config.lua; " ..
      "it has: c\n" }, { run.code, run:stderr() })
    run = app:run({ "dead-letters", "cc" }).process
    assert.same({ 2, "lagoon dead-letters: there is no consumer 'cc' in config.lua, did you " ..
      "mean 'c'?\n" }, { run.code, run:stderr() })
    assert.same({ 2, "", "lagoon dead-letters: list, show or redrive, not 'redrives', " ..
      "did you mean 'redrive'?\n" }, dead_letters("redrives"))
    assert.equal(2, dead_letters("list", "--limit", "0")[1])
  end)
end)

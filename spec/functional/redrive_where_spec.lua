-- Dead letters that an expression chooses, and those that stay.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local unit = require("unit")
local wait = require("spec.support.wait")

local HANDLER = [[
local lagoon = require("lagoon")
return function(event)
  lagoon.dead_letter(event.total > 100 and "timeout of the bank" or "no stock")
end
]]

describe("lagoon dead-letters --where", function()
  local broker, app, topic, letters

  local function dead_letters(...)
    local run = app:run({ "dead-letters", "c", ... }).process
    return { run.code, run:stdout(), run:stderr() }
  end

  ---The numbers of the letters that are listed.
  local function listed(...)
    local run = app:run({ "dead-letters", "c", "list", ... }).process
    assert.equal(0, run.code, run:stderr())
    local numbers = {}
    for offset in run:stdout():gmatch("%]@(%d+)  %d+ attempts") do
      table.insert(numbers, math.tointeger(tonumber(offset)))
    end
    table.sort(numbers)
    return numbers
  end

  ---The totals of all that was sent back.
  local function sent()
    local totals = {}
    for _, record in ipairs(broker:consume(topic)) do
      for _, header in ipairs(record.headers) do
        if header[1] == "lagoon-redrive-count" then
          table.insert(totals, tonumber(record.value:match('"total":(%d+)')))
        end
      end
    end
    table.sort(totals)
    return totals
  end

  -- Letters 0 to 9 with totals 0, 30, 60, ... 270, all in one partition.
  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("chosen", 1)
    app = application.new(broker.brokers, { consumers = {
      c = { topic = topic, group = topic, workers = 1, commit_interval = "50ms",
        distribution = "partition", handlers = { Event = "handlers.work" } },
    } }, { ["handlers/work"] = HANDLER })
    local lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
    local records = {}
    for n = 0, 9 do
      table.insert(records, { key = "k" .. n, value = ('{"total":%d}'):format(n * 30) })
    end
    broker:produce(topic, records, { headers = { { "Message-Type", "Event" }, { "own", "yes" } } })
    letters = ("%s.%s.dead-letter"):format(topic, topic)
    wait.till("the topic of the dead letters", 20000, function()
      return (unit.kafka.partitions(broker.brokers, letters) or 0) > 0
    end)
    broker:consume(letters, { count = 10 })
    assert.equal(0, lagoon:stop())
  end)

  it("shows those that are meant, by all that a letter says", function()
    assert.same({ 4, 5, 6, 7, 8, 9 }, listed("--where", 'error:find("timeout")'))
    assert.same({ 4, 5, 6 }, listed("--where", "event.total > 100 and event.total < 200"))
    assert.same({ 2, 7 }, listed("--where", 'key == "k2" or offset == 7'))
    assert.same({ 0, 1 }, listed("--where", ('headers.own == "yes" and attempts == 1 and ' ..
      'topic == %q and partition == 0 and timestamp > 0'):format(topic), "--limit", "2"))
    assert.same({}, listed("--where", 'headers["lagoon-dead-letter-group"]'))
  end)

  it("sends nothing where the expression fails at any letter, and says at which", function()
    local name = letters:gsub("%p", "%%%0") .. "%[0%]@5"
    local code, _, err = table.unpack(dead_letters("redrive", "--where",
      "offset < 5 or event.missing > 1"))
    assert.equal(2, code)
    assert.matches("^lagoon dead%-letters: " .. name .. ": %-%-where:1: attempt to compare " ..
      "number with nil\n$", err)
    code, _, err = table.unpack(dead_letters("redrive", "--where", "event.total >"))
    assert.same({ 2, "lagoon dead-letters: --where:1: unexpected symbol near <eof>\n" },
      { code, err })
    code, _, err = table.unpack(dead_letters("redrive", "--where",
      "(function() while true do end end)()"))
    assert.equal(2, code)
    assert.matches(": %-%-where:1: still runs after 1 s\n", err)
    code, _, err = table.unpack(dead_letters("list", "--where", 'os.exit(0)'))
    assert.equal(2, code)
    assert.matches("attempt to index a nil value %(global 'os'%)", err)
    code, _, err = table.unpack(dead_letters("list", "--set", "lua.memory_limit=8MiB", "--where",
      '#("x"):rep(100000000) > 0'))
    assert.equal(2, code)
    assert.matches("needs more than 8 MiB of memory %(lua.memory_limit%)", err)
    assert.same({}, sent())
  end)

  it("sends back those that are meant, once each, and the others stay for later", function()
    assert.same({ 0, "", "2 letters sent back, acknowledged\n" }, dead_letters("redrive",
      "--where", "offset % 4 == 3"))
    assert.same({ 90, 210 }, sent())
    assert.same({ 0, 1, 2, 4, 5, 6, 8, 9 }, listed())
    assert.same({ 0, "", "0 letters sent back, acknowledged\n" }, dead_letters("redrive",
      "--where", "offset % 4 == 3"))
    assert.same({ 0, "", "3 letters sent back, acknowledged\n" }, dead_letters("redrive",
      "--where", "event.total > 100", "--limit", "3"))
    assert.same({ 0, 1, 2, 8, 9 }, listed())
    assert.same({ 90, 120, 150, 180, 210 }, sent())
    assert.same({ 0, "", "1 letter sent back, acknowledged\n" }, dead_letters("redrive",
      "--where", "offset == 0"))
    assert.same({ 1, 2, 8, 9 }, listed())
  end)

  it("leaves nothing behind when all are sent back at last", function()
    assert.same({ 0, "", "4 letters sent back, acknowledged\n" }, dead_letters("redrive"))
    assert.same({}, listed())
    assert.same({ 0, 30, 60, 90, 120, 150, 180, 210, 240, 270 }, sent())
    assert.equal(10, broker:committed(topic .. ".dead-letter", letters, 1)[0])
  end)
end)

-- A stopped partition goes on when it is asked to, at the record that stopped it.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

-- What each partition is for.
local FAILS, INVALID, REFUSED, RUNS, FIRST, SECOND = 0, 1, 2, 3, 4, 5
local PARTITIONS = 6

local HANDLER = [[
local gate, journal = require("gate"), require("journal")
local lagoon = require("lagoon")
-- Used once each, so that the partitions are not known yet at the call.
local producers = { one = lagoon.producer("one"), two = lagoon.producer("two") }

return function(event, context)
  journal.record(context, { n = event.n, what = "begin", attempt = context.attempt })
  if event.fails and not gate.is_open(event.fails) then
    error("no stock")
  end
  if event.refused and not gate.is_open(event.refused) then
    producers[event.producer]:publish("Sent", {}, { key = "k", partition = 99 })
  end
  if event.waits then
    gate.wait(event.waits)
  end
  journal.record(context, { n = event.n, what = "end" })
end
]]

describe("lagoon resume", function()
  local broker, app, run, topic, empty, group

  local function produce(partition, events)
    local records = {}
    for i, event in ipairs(events) do
      local value = type(event) == "string" and event or json.encode(event)
      records[i] = { key = event.key or "k", value = value }
    end
    broker:produce(topic, records,
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  ---@return integer code, string stdout, string stderr
  local function resume(...)
    local process = app:run({ "resume", ... }).process
    return process.code, process:stdout(), process:stderr()
  end

  local function place_of(partition)
    local process = app:run({ "status", "--json" }).process
    for _, consumer in ipairs(json.decode(process:stdout()).consumers) do
      for _, place in ipairs(consumer.partitions) do
        if place.topic == topic and place.partition == partition then
          return place
        end
      end
    end
  end

  local function wait_stopped(partition, times)
    wait.till("the stop of partition " .. partition, 20000, function()
      return #run:log("^consumer c: a record failed; its partition is stopped",
        { partition = partition }) >= (times or 1)
    end)
  end

  local function wait_committed(partition, offset)
    wait.till(("the commit of %d"):format(offset), 10000, function()
      local committed = broker:committed(group, topic, PARTITIONS)[partition]
      return committed == offset, "it is " .. tostring(committed)
    end)
  end

  ---The numbers of the partition's records in the order of their begins.
  local function begun(partition)
    local numbers = {}
    for i, entry in ipairs(app:journal({ partition = partition, what = "begin" })) do
      numbers[i] = entry.n
    end
    return numbers
  end

  setup(function()
    broker = brokers.start()
    topic, empty = broker:new_topic("resume", PARTITIONS), broker:new_topic("resume", 1)
    group = brokers.unique("resume")
    local handlers = { Event = "handlers.event" }
    app = application.new(broker.brokers, {
      producers = { one = { topic = broker:new_topic("one", 1) },
        two = { topic = broker:new_topic("two", 1) } },
      consumers = {
        c = { topic = topic, group = group, workers = 4, commit_interval = "50ms",
          on_error = "stop", on_invalid = "stop", handlers = handlers },
        none = { topic = empty, group = brokers.unique("none"), offset_reset = "none",
          on_error = "stop", on_invalid = "stop", handlers = handlers },
      },
    }, { ["handlers/event"] = HANDLER })
    run = app:start({ "run" })
    run:wait_assigned("c")
  end)

  it("lets a partition go on at the record that failed, which is tried as new", function()
    produce(FAILS, { { n = 1 }, { n = 2, fails = "mended" }, { n = 3 } })
    wait_stopped(FAILS)
    local command = ("lagoon resume c --topic %s --partition 0"):format(topic)
    assert.equal(1, #run:log(command:gsub("%p", "%%%0"), { offset = 1 }))
    local stopped = place_of(FAILS).stopped
    assert.same({ 1, command }, { stopped.offset, stopped.resume })
    assert.matches("no stock$", stopped.reason)
    produce(FAILS, { { n = 4 } })
    assert.same({ 0, topic .. "[0] goes on at offset 1\n", "" },
      { resume("c", "--topic", topic, "--partition", "0") })
    wait_stopped(FAILS, 2)
    assert.same({ 1, 2, 2 }, begun(FAILS))
    app:open_gate("mended")
    assert.same({ 0, topic .. "[0] goes on at offset 1\n", "" }, { resume("c") })
    wait_committed(FAILS, 4)
    assert.same({ 1, 2, 2, 2, 3, 4 }, begun(FAILS))
    for _, entry in ipairs(app:journal({ partition = FAILS, what = "begin" })) do
      assert.equal(1, entry.attempt)
    end
  end)

  it("counts the very record as skipped that stopped it, and no other", function()
    produce(INVALID, { { n = 1 }, '{"n":', { n = 3 } })
    wait_stopped(INVALID)
    local code, stdout, stderr = resume("c", "--skip", "2")
    assert.same({ 2, "" }, { code, stdout })
    assert.equal(("lagoon resume: %s[1]: the record at offset 2 has not stopped it; the first one "
      .. "that did is at offset 1\n"):format(topic), stderr)
    assert.same({ 0, ("the record at offset 1 is skipped\n%s[1] goes on\n"):format(topic), "" },
      { resume("c", "--skip", "1") })
    wait_committed(INVALID, 3)
    assert.same({ 1, 3 }, begun(INVALID))
    assert.equal(2, (resume("c", "--skip", "1")))
  end)

  it("runs one whose publish was refused before any other of its key, behind what runs", function()
    produce(REFUSED, { { n = 1, refused = "published", producer = "one" },
      { n = 2, waits = "second" }, { n = 3 }, { n = 4, key = "other" } })
    wait_stopped(REFUSED)
    app:open_gate("published")
    assert.equal(0, (resume("c", "--partition", tostring(REFUSED))))
    app:open_gate("second")
    wait_committed(REFUSED, 4)
    local open
    local order = {}
    for _, entry in ipairs(app:journal({ partition = REFUSED, key = "k" })) do
      assert.equal(entry.what == "end", open == entry.n)
      open = entry.what == "begin" and entry.n or nil
      if entry.what == "begin" then
        table.insert(order, entry.n)
      end
    end
    -- The second one may have begun when the answer of Kafka came, or not.
    assert.equal(4, #order)
    assert.same({ 1, 3 }, { order[1], order[4] })
    assert.equal(3, order[2] + order[3])
  end)

  it("lets the handler end that still runs of the record that stopped it", function()
    produce(RUNS, { { n = 1, refused = "sent", producer = "two", waits = "returned" }, { n = 2 } })
    wait_stopped(RUNS)
    local code, _, stderr = resume("c", "--skip", "0")
    assert.same({ 2, ("lagoon resume: %s[3]: the handler of a record that stopped it still runs\n")
      :format(topic) }, { code, stderr })
    local waits = topic .. "[3] goes on at offset 0, when what has begun of it has ended\n"
    assert.same({ 0, waits, "" },
      { resume("c") })
    assert.is_true(place_of(RUNS).stopped.is_resuming)
    app:open_gate("sent")
    app:open_gate("returned")
    wait_committed(RUNS, 2)
    assert.same({ 1, 1, 2 }, begun(RUNS))
  end)

  it("takes all that are stopped, but skips in one alone", function()
    for _, partition in ipairs({ FIRST, SECOND }) do
      produce(partition, { { n = 1, fails = "all" }, { n = 2 } })
      wait_stopped(partition)
    end
    local code, _, stderr = resume("c", "--skip", "0")
    assert.equal(2, code)
    assert.matches("several partitions are stopped: name the one that is meant", stderr, 1, true)
    assert.equal(0, (resume("c", "--skip", "0", "--partition", tostring(FIRST))))
    wait_committed(FIRST, 2)
    app:open_gate("all")
    assert.equal(0, (resume("c", "--topic", topic)))
    wait_committed(SECOND, 2)
    assert.same({ 1, 2 }, begun(FIRST))
    assert.same({ 1, 1, 2 }, begun(SECOND))
  end)

  it("says what it cannot do", function()
    assert.same({ 0, "nothing of consumer c is stopped here\n", "" }, { resume("c") })
    run:wait_assigned("none")
    local code, stdout = resume("none")
    assert.equal(5, code)
    assert.matches("[0] stays stopped: the group has no committed offset there and offset_reset is "
      .. '"none": commit one by Kafka\'s tools', stdout, 1, true)
    for message, arguments in pairs({
      ["there is no consumer 'd' in config.lua, did you mean 'c'?"] = { "d" },
      ["topic t of consumer c is not assigned to this process; lagoon status says what is"] =
        { "c", "--topic", "t" },
      [topic .. "[9] of consumer c is not assigned to this process; lagoon status says what is"] =
        { "c", "--topic", topic, "--partition", "9" },
      ["nothing of it is stopped, so there is no record to be skipped"] = { "c", "--skip", "0" },
      ["--partition takes a whole number from 0, got 'x'"] = { "c", "--partition", "x" },
      ["--skip takes a whole number from 0, got '-1'"] = { "c", "--skip=-1" },
    }) do
      local wrong, _, stderr = resume(table.unpack(arguments))
      assert.same({ 2, "lagoon resume: " .. message .. "\n" }, { wrong, stderr })
    end
  end)

  it("leaves a process that stops as any other", function()
    assert.equal(0, run:stop())
    local counts = run:wait_log("^consumer c: stopped")
    assert.same({ 7, 2 }, { counts.failed, counts.skipped })
    local code, _, stderr = resume("c")
    assert.same({ 4, "lagoon resume: no lagoon of config.lua runs here\n" }, { code, stderr })
  end)
end)

-- Handlers that wait: what they share, and where waiting is impossible.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local examples = require("spec.functional.waiting_examples")

local GATED = [[
local gate = require("gate")
local journal = require("journal")

return function(event, context)
  journal.record(context, { what = "begin", n = event.n })
  gate.wait(event.gate)
  journal.record(context, { what = "end", n = event.n })
end
]]

local SLEEPS = [[
local journal = require("journal")
local lagoon = require("lagoon")

return function(event, context)
  journal.record(context, { what = "begin", n = event.n })
  lagoon.sleep("3ms")
  journal.record(context, { what = "end", n = event.n })
end
]]

-- Waits without an end in sight, a moment at a time, until another record has been handled.
local POLLS = [[
local journal = require("journal")
local lagoon = require("lagoon")

local is_over = false

return function(event, context)
  if event.n > 1 then
    is_over = true
  end
  while not is_over do
    lagoon.sleep(0)
  end
  journal.record(context, { what = "end", n = event.n })
end
]]

-- The second record finds a coroutine that the first one waits in.
local TANGLED = [[
local gate = require("gate")
local journal = require("journal")

local own

return function(event, context)
  if event.n == 1 then
    own = coroutine.create(function()
      gate.wait("tangled")
      return "through"
    end)
    journal.record(context, { what = "begin" })
    journal.record(context, { what = select(2, coroutine.resume(own)) })
  else
    journal.record(context, { what = select(2, coroutine.resume(own)) })
  end
end
]]

describe("a handler that waits", function()
  local broker, app
  local topics = {}

  setup(function()
    broker = brokers.start()
    for _, name in ipairs({ "shared", "single", "polls", "tangled", "examples", "out" }) do
      topics[name] = broker:new_topic(name, 1)
    end
    local function consumer(name, buffer_size)
      return { topic = topics[name], group = topics[name], workers = 1, buffer_size = buffer_size,
        distribution = "free_worker", handlers = { Event = "handlers." .. name } }
    end
    app = application.new(broker.brokers, {
      producers = { out = { topic = topics.out } },
      consumers = {
        shared = consumer("shared", 100),
        single = consumer("single", 1),
        polls = consumer("polls"),
        tangled = consumer("tangled"),
        examples = consumer("examples"),
      },
    }, {
      ["handlers/shared"] = GATED,
      ["handlers/single"] = SLEEPS,
      ["handlers/polls"] = POLLS,
      ["handlers/tangled"] = TANGLED,
      ["handlers/examples"] = examples,
    })
    local lagoon = app:start({ "run" })
    for _, name in ipairs({ "shared", "single", "polls", "tangled", "examples" }) do
      lagoon:wait_assigned(name)
    end
  end)

  local function produce(name, count, value)
    local records = {}
    for n = 1, count do
      records[n] = { key = "k", value = (value or '{"n":%d}'):format(n) }
    end
    broker:produce(topics[name], records, { headers = { { "Message-Type", "Event" } } })
  end

  it("shares its worker with as many others as buffer_size says, and no more", function()
    produce("shared", 120, '{"n":%d,"gate":"shared"}')
    app:wait_journal(100, { topic = topics.shared })
    app:open_gate("shared")
    local entries = app:wait_journal(240, { topic = topics.shared })
    for i = 1, 100 do
      assert.same({ "begin", i }, { entries[i].what, entries[i].n })
    end
    assert.equal("end", entries[101].what)
    local begun = 0
    for _, entry in ipairs(entries) do
      begun = begun + (entry.what == "begin" and 1 or -1)
      assert.is_true(begun <= 100)
      assert.equal(1, entry.worker)
    end
  end)

  it("has its worker for itself when buffer_size is 1", function()
    produce("single", 20)
    local entries = app:wait_journal(40, { topic = topics.single })
    for i, entry in ipairs(entries) do
      assert.same({ i % 2 == 1 and "begin" or "end", (i + 1) // 2 }, { entry.what, entry.n })
    end
  end)

  it("keeps no record from beginning, even when it only ever waits for a moment", function()
    produce("polls", 2)
    app:wait_journal(2, { topic = topics.polls })
  end)

  it("has its coroutines for itself while it waits in them", function()
    produce("tangled", 1)
    app:wait_journal(1, { topic = topics.tangled, what = "begin" })
    produce("tangled", 1, '{"n":2}')
    app:wait_journal(1, { topic = topics.tangled,
      what = "cannot resume a coroutine that waits for the runtime" })
    app:open_gate("tangled")
    app:wait_journal(1, { topic = topics.tangled, what = "through" })
  end)

  describe("example", function()
    local told = {}

    setup(function()
      produce("examples", 1)
      for _, entry in ipairs(app:wait_journal(15, { is_example = true })) do
        told[entry.example] = entry
      end
    end)

    local function assert_refused(example, what)
      local message = told[example].message or "nothing"
      assert.matches("^scripts/handlers/examples.lua:%d+: ", message)
      assert.equal(what, message:sub(-#what))
    end

    it("is told so where it cannot wait", function()
      local here = ": cannot wait here (inside table.sort, string.gsub, tostring or require)"
      assert_refused("table.sort", "lagoon.sleep" .. here)
      assert_refused("string.gsub", "lagoon.sleep" .. here)
      assert_refused("await in table.sort", "delivery:await" .. here)
      assert_refused("own coroutine below table.sort", "lagoon.sleep" .. here)
    end)

    it("is told so when it asks for no duration", function()
      for _, example in ipairs({ "wrong unit", "negative", "no number" }) do
        assert.is_truthy(told[example].message, example)
      end
    end)

    it("waits inside pcall, in an iterator, and in and beside coroutines of its own", function()
      for _, example in ipairs({ "pcall", "pairs", "own coroutine that yields", "own coroutine",
        "coroutines three deep", "error in own coroutine", "await in own coroutine" }) do
        assert.is_nil(told[example].message)
        assert.is_true(told[example].took >= 19, example .. " took " .. told[example].took)
      end
    end)

    it("may await its deliveries late, in any order and twice", function()
      assert.is_nil(told["later await"].message)
    end)
  end)

  it("cannot wait at the top of a file", function()
    local function check(source)
      local checked = application.new("127.0.0.1:1", { consumers = {
        c = { topic = "t", group = "g", handlers = { A = "handlers.a" } } } },
        { ["handlers/a"] = source })
      local process = checked:run({ "check" }).process
      assert.equal(3, process.code)
      return process:stderr()
    end
    assert.matches("scripts/handlers/a.lua:1: lagoon.sleep: cannot wait at the top of a file, " ..
      "only in a handler", check("require('lagoon').sleep(1) return print"), 1, true)
  end)
end)

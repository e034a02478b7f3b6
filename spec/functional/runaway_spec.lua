-- Handlers that run too long are ended, and harm nobody else.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local examples = require("spec.functional.runaway_examples")
local sanitizer = require("spec.support.sanitizer")

local NEIGHBOUR, BLOCKED, FINE = #examples.busy, #examples.busy + 1, #examples.busy + 2

local function is_loop(example)
  return example[3]:find("while true do end", 1, true) or example[3]:find("pcall(error)", 1, true)
end

local function handlers()
  local lines = {
    'local journal = require("journal")',
    'local lagoon = require("lagoon")',
    "local M = {}",
  }
  for _, list in pairs(examples) do
    for _, example in ipairs(list) do
      table.insert(lines, ("M[%q] = function() %s end"):format(example[1], example[3]))
    end
  end
  table.insert(lines, [[
M.neighbour = function()
  local began = lagoon.now()
  while lagoon.now() - began < 700 do
    lagoon.sleep("5ms")
  end
end
M.blocked = function() os.execute("sleep 0.5") end
M.fine = function() end
return function(event, context)
  journal.record(context, { what = "begin" })
  M[event.example]()
  journal.record(context, { what = "end" })
end]])
  return table.concat(lines, "\n")
end

describe("a handler that runs too long", function()
  local broker, app, lagoon
  local topics = {}

  local function produce(name, partition, example)
    broker:produce(topics[name], { { key = "k", value = ('{"example":%q}'):format(example) } },
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  local function consumer(name, limits)
    return { topic = topics[name], group = topics[name], distribution = "free_worker", workers = 1,
      buffer_size = 100, on_error = "stop", handlers = { Event = "handlers.runs" },
      cpu_limit = limits.cpu, handler_timeout = limits.time }
  end

  setup(function()
    broker = brokers.start()
    topics.busy = broker:new_topic("busy", FINE + 1)
    topics.late = broker:new_topic("late", #examples.late)
    app = application.new(broker.brokers, { lua = { memory_limit = "16MiB" },
      consumers = { busy = consumer("busy", { cpu = "200ms", time = "1m" }),
        late = consumer("late", { cpu = false, time = "1s" }) },
    }, { ["handlers/runs"] = handlers() })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("busy")
    lagoon:wait_assigned("late")
    produce("busy", NEIGHBOUR, "neighbour")
    app:wait_journal(1, { topic = topics.busy, what = "begin" })
  end)

  for name, list in pairs(examples) do
    for i, example in ipairs(list) do
      it(("is ended and says where: %s, %s"):format(name, example[1]), function()
        if sanitizer.holds_signals and is_loop(example) then
          return pending("ThreadSanitizer holds back the signal that ends a loop")
        end
        produce(name, i - 1, example[1])
        local line = lagoon:wait_log("^consumer " .. name .. ": a record failed",
          { partition = i - 1 }, 20000)
        local message = line.reason:match("^[^\n]*")
        assert.equal(example[2], message:sub(-#example[2]))
        if not message:find("^not enough memory") then
          assert.matches("^scripts/handlers/runs.lua:%d+: ", message)
          assert.matches("\nstack traceback:\n", line.reason)
        end
      end)
    end
  end

  it("leaves those alone that wait in the same state", function()
    app:wait_journal(1, { topic = topics.busy, partition = NEIGHBOUR, what = "end" })
  end)

  it("is not one that is blocked without using the CPU", function()
    produce("busy", BLOCKED, "blocked")
    app:wait_journal(1, { topic = topics.busy, partition = BLOCKED, what = "end" })
  end)

  it("is counted by what ended it", function()
    local kinds = { ["%(cpu_limit%)"] = "cpu_limit", ["%(handler_timeout%)"] = "timeout",
      ["^not enough memory"] = "memory_limit" }
    local expected, counted = {}, {}
    for name in pairs(examples) do
      expected[name], counted[name] = {}, {}
      for _, line in ipairs(lagoon:log("^consumer " .. name .. ": a record failed")) do
        local of = "handler"
        for pattern, kind in pairs(kinds) do
          of = line.reason:match("^[^\n]*"):find(pattern) and kind or of
        end
        expected[name][of] = (expected[name][of] or 0) + 1
      end
    end
    for _, one in ipairs(json.decode(app:run({ "status", "--json" }).process:stdout())
      .consumers) do
      for kind, found in pairs(one.errors) do
        counted[one.name][kind] = found.count
      end
    end
    assert.same(expected, counted)
    assert.is_true(expected.late.timeout > 0)
  end)

  it("leaves a state in which others run", function()
    produce("busy", FINE, "fine")
    app:wait_journal(1, { topic = topics.busy, partition = FINE, what = "end" })
    if not sanitizer.holds_signals then
      assert.equal(#examples.busy, #lagoon:log("^consumer busy: a record failed"))
    end
  end)
end)

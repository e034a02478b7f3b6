-- Handlers that run too long are ended, and harm nobody else.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local examples = require("spec.functional.runaway_examples")

local NEIGHBOUR, BLOCKED, FINE = #examples, #examples + 1, #examples + 2

local function handlers()
  local lines = {
    'local journal = require("journal")',
    'local lagoon = require("lagoon")',
    "local M = {}",
  }
  for _, example in ipairs(examples) do
    table.insert(lines, ("M[%q] = function() %s end"):format(example[1], example[3]))
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
  local broker, app, lagoon, topic

  local function produce(partition, example)
    broker:produce(topic, { { key = "k", value = ('{"example":%q}'):format(example) } },
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("runaway", FINE + 1)
    app = application.new(broker.brokers, { lua = { memory_limit = "16MiB" },
      consumers = { c = { topic = topic, group = topic, distribution = "free_worker", workers = 1,
        buffer_size = 100, on_error = "stop",
        cpu_limit = "200ms", handler_timeout = "1s",
        handlers = { Event = "handlers.runs" } } },
    }, { ["handlers/runs"] = handlers() })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  for i, example in ipairs(examples) do
    it(("is ended and says where: %s"):format(example[1]), function()
      if i == 1 then
        produce(NEIGHBOUR, "neighbour")
        app:wait_journal(1, { partition = NEIGHBOUR, what = "begin" })
      end
      produce(i - 1, example[1])
      local line = lagoon:wait_log("^consumer c: a record failed", { partition = i - 1 }, 10000)
      local message = line.reason:match("^[^\n]*")
      assert.equal(example[2], message:sub(-#example[2]))
      if not message:find("^not enough memory") then
        assert.matches("^scripts/handlers/runs.lua:%d+: ", message)
        assert.matches("\nstack traceback:\n", line.reason)
      end
    end)
  end

  it("leaves those alone that wait in the same state", function()
    app:wait_journal(1, { partition = NEIGHBOUR, what = "end" })
  end)

  it("is not one that is blocked without using the CPU", function()
    produce(BLOCKED, "blocked")
    app:wait_journal(1, { partition = BLOCKED, what = "end" })
  end)

  it("leaves a state in which others run", function()
    produce(FINE, "fine")
    app:wait_journal(1, { partition = FINE, what = "end" })
    assert.equal(#examples, #lagoon:log("^consumer c: a record failed"))
  end)
end)

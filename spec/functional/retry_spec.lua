-- A record that fails is tried again: in its order, after its wait, while others go on.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local wait = require("spec.support.wait")

local HANDLER = [[
local journal = require("journal")
local lagoon = require("lagoon")

local runs = {}
local M = {}

function M.twice(context) if context.attempt < 3 then error("not yet") end end
function M.always() return nil, "never" end
function M.after(context) if context.attempt == 1 then lagoon.retry("busy", { after = 0.3 }) end end
function M.uncounted(context, run)
  if run < 6 then lagoon.retry("busy", { after = "1ms", count = false }) end
  if context.attempt < 3 then error("counts") end
end
function M.asks() lagoon.retry("asked") end
function M.skips() lagoon.skip("not ours") end
function M.caught() pcall(lagoon.skip, "caught") return nil, "this is not how it ended" end
function M.first() pcall(lagoon.skip, "first") lagoon.retry("second") end
function M.deep() coroutine.wrap(function() lagoon.skip("deep") end)() end
function M.wrong() lagoon.retry("busy", { afer = 1 }) end

local function work(event, context)
  local name = context.partition .. "/" .. context.offset
  runs[name] = (runs[name] or 0) + 1
  journal.record(context, { n = event.n, attempt = context.attempt, run = runs[name] })
  if event.how then
    return M[event.how](context, runs[name])
  end
end

return work
]]

describe("a record that fails", function()
  local broker, app, lagoon, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("retries", 10)
    app = application.new(broker.brokers, { consumers = {
      c = { topic = topic, group = topic, workers = 1, handlers = { Event = "handlers.work" },
        commit_interval = "20ms",
        on_error = { retries = 2, backoff = "20ms", give_up = "skip" }, on_tombstone = "skip",
        on_invalid = "skip" },
    } }, { ["handlers/work"] = HANDLER })
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("c")
  end)

  local function produce(partition, records)
    broker:produce(topic, records,
      { partition = partition, headers = { { "Message-Type", "Event" } } })
  end

  ---One record of that kind with another behind it, once both are settled: all is logged then.
  local function try(partition, how)
    produce(partition, { { key = "k", value = ('{"how":"%s","n":1}'):format(how) },
      { key = "k", value = '{"n":2}' } })
    wait.till("the commit of both", 10000, function()
      return broker:committed(topic, topic, 10)[partition] == 2
    end)
    local attempts = {}
    for i, entry in ipairs(app:journal({ partition = partition, n = 1 })) do
      attempts[i] = entry.attempt
    end
    return attempts, lagoon:log("^consumer c: a record", { partition = partition, offset = 0 })
  end

  it("runs again until it is handled, before its successors, while other keys go on", function()
    produce(0, { { key = "a", value = '{"how":"twice","n":1}' }, { key = "a", value = '{"n":2}' },
      { key = "b", value = '{"n":3}' } })
    local seen = app:wait_journal(5, { partition = 0 })
    local order, firsts = {}, {}
    for _, entry in ipairs(seen) do
      if entry.key == "a" then
        table.insert(order, entry.n)
      else
        table.insert(firsts, #order)
      end
    end
    assert.same({ 1, 1, 1, 2 }, order)
    assert.same({ 1 }, firsts)
    local lines = lagoon:log("^consumer c: a record failed; tried again in %d+ ms$",
      { partition = 0 })
    assert.equal(2, #lines)
    assert.same({ "warn", topic, 0, "a", 1 },
      { lines[1].level, lines[1].topic, lines[1].offset, lines[1].key, lines[1].attempt })
    assert.matches("not yet\nstack traceback:", lines[2].reason, 1, true)
    assert.equal(2, lines[2].attempt)
  end)

  it("is given up when its retries are used up, and its successors go on", function()
    local attempts, lines = try(1, "always")
    assert.same({ 1, 2, 3 }, attempts)
    assert.same({ 3, "error", "never", "consumer c: a record is skipped" },
      { #lines, lines[3].level, lines[3].reason, lines[3].message })
  end)

  it("waits as long as it asks for", function()
    assert.same({ 1, 2 }, (try(2, "after")))
    local seen = app:journal({ partition = 2, n = 1 })
    assert(seen[2].at - seen[1].at >= 299, "both are cut to whole milliseconds")
    assert.equal(1, #lagoon:log("^consumer c: a record failed; tried again in 300 ms$",
      { partition = 2, reason = "busy" }))
  end)

  it("is tried any number of times when that is not to count", function()
    assert.same({ 1, 1, 1, 1, 1, 1, 2, 3 }, (try(3, "uncounted")))
  end)

  it("is given up also when it only asks", function()
    local attempts, lines = try(4, "asks")
    assert.same({ { 1, 2, 3 }, "asked" }, { attempts, lines[3].reason })
  end)

  it("is skipped at its own wish, with the reason in the log", function()
    local attempts, lines = try(5, "skips")
    assert.same({ { 1 }, 1, "warn", "not ours" },
      { attempts, #lines, lines[1].level, lines[1].reason })
  end)

  it("cannot take back what it asked for", function()
    for partition, case in pairs({ [6] = { "caught" }, [7] = { "first" }, [8] = { "deep" } }) do
      local attempts, lines = try(partition, case[1])
      assert.same({ { 1 }, 1, case[1] }, { attempts, #lines, lines[1].reason })
    end
  end)

  it("is told when it asks wrongly", function()
    local _, lines = try(9, "wrong")
    assert.matches("lagoon.retry: unknown option 'afer': there are after, count", lines[1].reason,
      1, true)
  end)

  it("may be one that needs no handler at all", function()
    produce(9, { { key = "k", value = "no JSON" }, { key = "k" },
      { key = "k", value = '{"n":8}' } })
    app:wait_journal(1, { partition = 9, n = 8 })
    lagoon:wait_log("^consumer c: a record is skipped", { partition = 9, offset = 2 })
    local lines = lagoon:log("^consumer c: a record is skipped", { partition = 9, level = "error" })
    assert.same({ 0, 2 }, { lines[1].offset, lines[2].offset })
  end)

  it("is counted", function()
    assert.equal(0, lagoon:stop())
    local counts = lagoon:wait_log("^consumer c: stopped")
    assert.equal(0, counts.failed)
    assert(counts.retried > 10 and counts.skipped > 5)
    assert.same({ [0] = 3, 2, 2, 2, 2, 2, 2, 2, 2, 5 }, broker:committed(topic, topic, 10))
  end)
end)

-- A running consumer goes back by time: only a real broker knows when records were written.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

local COUNT, PARTITIONS = 30, 3
local BEGAN_MS = 1700000000000

describe("lagoon seek by time", function()
  it("handles exactly the records since then again", function()
    local broker = brokers.start()
    local topic = broker:new_topic("seek-time", PARTITIONS)
    local app = application.new(broker.brokers, {
      producers = { out = { topic = topic } },
      consumers = { c = { topic = topic, group = brokers.unique("seek-time"), workers = 2,
        commit_interval = "50ms", handlers = { Event = "handlers.notes" } } },
    }, { ["handlers/notes"] = [[
      local journal = require("journal")
      return function(_, context) journal.record(context) end
    ]] })
    local lines, expected = {}, {}
    for i = 0, COUNT - 1 do
      lines[i + 1] = json.encode({ type = "Event", value = { number = i },
        partition = i % PARTITIONS, timestamp = BEGAN_MS + i * 1000 })
      if i >= 20 then
        table.insert(expected, ("%d@%d"):format(i % PARTITIONS, i // PARTITIONS))
      end
    end
    local published = app:run({ "publish", "out" }, { input = table.concat(lines, "\n") .. "\n" })
    assert.equal(0, published.process.code, published.process:stderr())
    local run = app:start({ "run" })
    run:wait_assigned("c")
    app:wait_journal(COUNT)

    local seek = app:run({ "seek", "c", "--to", "@" .. BEGAN_MS + 20000 })
    assert.equal(0, seek.process.code, seek.process:stderr())
    app:wait_journal(COUNT + #expected)
    assert.equal(0, run:stop())
    local again = {}
    for i, entry in ipairs(app:journal()) do
      if i > COUNT then
        table.insert(again, ("%d@%d"):format(entry.partition, entry.offset))
      end
    end
    table.sort(again)
    table.sort(expected)
    assert.same(expected, again)
  end)
end)

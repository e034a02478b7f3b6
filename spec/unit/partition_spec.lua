local unit = require("unit")

describe("partition", function()
  local dispatcher, intake, partition

  before_each(function()
    dispatcher = unit.dispatcher.new("key", 1)
    intake = unit.partition.new(dispatcher, {
      retries = 0, backoff_ms = 1, max_backoff_ms = 1, give_up = "stop", breaker = 0,
      on_invalid = "stop", on_unknown_type = "skip", window_records = 100, window_bytes = 1000000,
      max_ahead = 100, seed = 1,
    })
    partition = intake:partition(0)
    intake:begin(partition, 0, "committed")
  end)

  after_each(function()
    intake:finish(partition)
    intake:destroy()
    dispatcher:destroy()
  end)

  local function read(first, last)
    local records, lane = {}, dispatcher:lane("orders", 0)
    for offset = first, last do
      local _, record = intake:take_in(partition, offset, "k")
      table.insert(records, record)
    end
    dispatcher:push(lane, records)
  end

  -- One after the other, as one worker does.
  local function handle(count)
    for _ = 1, count do
      local record = dispatcher:take(1)
      dispatcher:finish(record, intake:outcome(record, "done", 0))
    end
    for _, record in ipairs(dispatcher:collect()) do
      intake:end_record(record)
    end
  end

  it("reads again what was not settled when the broker's log goes back", function()
    read(0, 9)
    handle(3)
    local start = intake:restart(partition, 8)
    assert.equals(3, start)
    assert.equals(3, (intake:offsets(partition)))
  end)

  it("goes on where the broker's log ends now when all before that is settled", function()
    read(0, 9)
    handle(10)
    assert.equals(8, (intake:restart(partition, 8)))
  end)

  it("is read only once the start that was found for it is committed", function()
    intake:finish(partition)
    local epoch = intake:begin(partition, 5, "resolved")
    assert.is_nil(intake:room(partition))
    intake:mark_committed(partition, epoch - 1, 5)
    assert.is_nil(intake:room(partition))
    intake:mark_committed(partition, epoch, 5)
    assert.is_truthy(intake:room(partition))
  end)
end)

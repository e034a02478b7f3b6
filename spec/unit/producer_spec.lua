local cluster = require("unit").cluster
local kcat = require("spec.support.kcat")
local log = require("unit").log
local producer = require("unit").producer
local scope = require("spec.support.scope")
local uv = require("luv")
local wait = require("spec.support.wait")

local DEADLINE_MS = 20000
-- What librdkafka may take for the first record of a topic is above 700.
local AT_ONCE_MS = 500

-- One for all specs, because it takes a second to end; each spec has a topic of its own.
local mock, topic
local topics = 0

local function down()
  mock:down()
  scope.defer(function()
    mock:up()
  end)
end

---A producer of this spec's topic; what is left of its records is given up when the spec ends.
local function new_producer(properties)
  local p = producer.new(mock:brokers(), topic, properties or {})
  scope.defer(function()
    if p.turn and pcall(p.purge, p) then
      p:close()
    end
  end)
  return p
end

local function turn_till(p, what, condition)
  wait.till(what, DEADLINE_MS, function()
    p:turn()
    return condition()
  end)
end

local function turn_till_flushed(p)
  turn_till(p, "all reports", function()
    return p:outstanding() == 0
  end)
end

local function publish(p, publication)
  local delivery, why = p:publish(publication)
  assert(type(delivery) == "userdata", why or delivery)
  scope.defer(function()
    delivery:release()
  end)
  return delivery
end

---The topic as messages name it, as a pattern.
local function quoted()
  return '"' .. topic:gsub("%-", "%%-") .. '"'
end

---Publishes until the queue is full; returns how many went in.
local function fill(p)
  for count = 0, 100 do
    local delivery = p:publish({ value = "x" })
    if delivery == "full" then
      return count
    end
    delivery:release()
  end
  error("a queue that is never full")
end

local function posts_of(p)
  local posts = {}
  for _, ticket in ipairs(p:posts()) do
    posts[ticket] = true
  end
  return posts
end

describe("producer", function()
  setup(function()
    mock = cluster.mock()
    log.set_level("error")
  end)

  teardown(function()
    log.set_level("info")
    mock:close()
  end)

  before_each(function()
    topics = topics + 1
    topic = "orders-" .. topics
    mock:create(topic, 3)
  end)

  it("writes key, value, headers, partition and timestamp byte for byte", function()
    local p = new_producer()
    local headers = {}
    for i = 1, 100 do
      headers[i] = { "h" .. i, "v" .. i }
    end
    headers[101] = { "h1", "again" }
    headers[102] = { "empty", "" }
    headers[103] = { "null" }
    local value = ("v"):rep(1000000)
    publish(p, { partition = 2, timestamp = 1234567890123, key = "k\0k", value = value,
      headers = headers })
    turn_till_flushed(p)
    local records = kcat.consume(mock:brokers(), topic)
    assert.equal(1, #records)
    local record = records[1]
    assert.equal(2, record.partition)
    assert.equal(1234567890123, record.timestamp)
    assert.equal("k\0k", record.key)
    assert.is_true(record.value == value)
    assert.same(headers, record.headers)
  end)

  it("tells null from empty, in keys and values", function()
    local p = new_producer()
    publish(p, { partition = 0 })
    publish(p, { partition = 0, key = "", value = "" })
    publish(p, { partition = 0, key = "tombstone" })
    turn_till_flushed(p)
    local records = kcat.consume(mock:brokers(), topic, { partition = 0 })
    assert.equal(3, #records)
    assert.is_nil(records[1].key)
    assert.is_nil(records[1].value)
    assert.equal("", records[2].key)
    assert.equal("", records[2].value)
    assert.equal("tombstone", records[3].key)
    assert.is_nil(records[3].value)
  end)

  it("puts equal keys into one partition, and records of now without a timestamp", function()
    local p = new_producer()
    local before = os.time() * 1000
    for i = 1, 20 do
      publish(p, { key = "customer-" .. i % 4, value = tostring(i) })
    end
    turn_till_flushed(p)
    local partitions, count = {}, 0
    for _, record in ipairs(kcat.consume(mock:brokers(), topic)) do
      partitions[record.key] = partitions[record.key] or record.partition
      assert.equal(partitions[record.key], record.partition)
      assert.is_true(record.timestamp >= before)
      count = count + 1
    end
    assert.equal(20, count)
  end)

  it("writes the first record of a topic at once", function()
    mock:create("payments", 1)
    local p = new_producer()
    local delivery = publish(p, { topic = "payments", value = "x" })
    local started = uv.hrtime()
    turn_till(p, "the report", function()
      return delivery:state() ~= "pending"
    end)
    assert.is_true((uv.hrtime() - started) / 1000000 < AT_ONCE_MS)
    assert.equal("x", kcat.consume(mock:brokers(), "payments")[1].value)
  end)

  it("reports where a record came to be", function()
    local p = new_producer()
    local first = publish(p, { partition = 1, value = "a" })
    local second = publish(p, { partition = 1, value = "b" })
    assert.equal("pending", (first:state()))
    assert.equal(2, p:outstanding())
    turn_till_flushed(p)
    assert.same({ "acknowledged", 1, 0 }, { first:state() })
    assert.same({ "acknowledged", 1, 1 }, { second:state() })
    assert.same({ 2, 2, 0 }, { p:counts() })
  end)

  it("reports to the record that a handler had in hand, with its attempt", function()
    local p = new_producer()
    publish(p, { partition = 0, value = "a", record = 41, attempt = 1 })
    publish(p, { partition = 0, value = "b" })
    publish(p, { partition = 0, value = "c", record = 42, attempt = 3 })
    turn_till_flushed(p)
    assert.same({ { record = 41, attempt = 1 }, { record = 42, attempt = 3 } }, p:reports())
  end)

  it("takes all reports, however many there are when it looks", function()
    local p = new_producer({ ["batch.num.messages"] = 1000 })
    local count = 12000
    for _ = 1, count do
      local delivery = p:publish({ partition = 0, value = "x" })
      delivery:release()
    end
    wait.till("all records at the broker", DEADLINE_MS, function()
      return kcat.end_offsets(mock:brokers(), topic, 1)[0] == count
    end)
    turn_till_flushed(p)
    assert.same({ count, count, 0 }, { p:counts() })
  end)

  it("wakes everybody who waits for a delivery, once", function()
    local p = new_producer()
    local delivery = publish(p, { value = "a" })
    assert.is_true(delivery:wait(p, 1))
    assert.is_true(delivery:wait(p, 2))
    assert.same({}, p:posts())
    turn_till_flushed(p)
    assert.same({ [1] = true, [2] = true }, posts_of(p))
    assert.is_false(delivery:wait(p, 3))
    p:turn()
    assert.same({}, p:posts())
  end)

  it("reports also when the delivery was let go of before", function()
    local p = new_producer()
    local delivery = p:publish({ value = "a", record = 7 })
    delivery:release()
    turn_till_flushed(p)
    assert.same({ { record = 7, attempt = 1 } }, p:reports())
  end)

  it("knows without a handle what a handle refuses, to the byte", function()
    local p = new_producer({ ["queue.buffering.max.kbytes"] = 2000 })
    local largest = 1114112
    for _, publication in ipairs({
      { key = "k" },
      { key = ("k"):rep(5000), headers = {} },
      { key = "k", headers = { { "a", "b" }, { "a", "" } } },
      { key = "k", headers = { { ("n"):rep(63), ("v"):rep(64) }, { "n", ("v"):rep(8192) } } },
    }) do
      local fits, is_refused = 0, largest + 1
      while is_refused - fits > 1 do
        local size = (fits + is_refused) // 2
        publication.value = ("x"):rep(size)
        local result, why = p:publish(publication)
        local refusal = p:refusal(publication)
        if result == "invalid" then
          is_refused = size
          assert.equal(why, refusal)
        else
          fits = size
          assert.is_nil(refusal)
          p:purge()
          turn_till_flushed(p)
        end
      end
    end
    for _, publication in ipairs({ { topic = "a b" }, { partition = -2 },
      { value = ("x"):rep(3000000) } }) do
      local _, why = p:publish(publication)
      assert.equal(why, p:refusal(publication))
    end
  end)

  it("refuses at the call what can be known there", function()
    local p = new_producer({ ["queue.buffering.max.kbytes"] = 2000 })
    publish(p, { value = "the topic's partitions are known once this is reported" })
    turn_till_flushed(p)
    for pattern, publication in pairs({
      ["^a record of 1114113 bytes for topic " .. quoted() .. " is too large"] =
        { value = ("x"):rep(1114113) },
      ["^a value of 3000000 bytes is larger than the producer's whole queue"] =
        { value = ("x"):rep(3000000) },
      ["^topic " .. quoted() .. " has no partition 3$"] = { partition = 3, value = "x" },
      ["^there is no partition %-2$"] = { partition = -2, value = "x" },
      ['^"a b" cannot be a topic\'s name$'] = { topic = "a b", value = "x" },
    }) do
      publication.headers = { { "a", "b" } }
      local result, why = p:publish(publication)
      assert.equal("invalid", result)
      assert.matches(pattern, why)
    end
    assert.equal(0, p:outstanding())
  end)

  it("refuses by the report what only the broker knows", function()
    local p = new_producer()
    local delivery = publish(p, { partition = 9, value = "x", record = 5 })
    turn_till_flushed(p)
    local refusal = ('topic "%s" has no partition 9'):format(topic)
    assert.same({ "refused", refusal }, { delivery:state() })
    mock:refuse_produce("policy")
    delivery = publish(p, { value = "x", record = 6 })
    assert.is_true(delivery:wait(p, 1))
    turn_till_flushed(p)
    local state, reason = delivery:state()
    assert.equal("refused", state)
    assert.matches("^topic " .. quoted() .. ": .*[Pp]olicy", reason)
    assert.same({ 1 }, p:posts())
    assert.same({ 2, 0, 2 }, { p:counts() })
    assert.equal(reason, p:reports()[2].reason)
  end)

  -- Brokers that do not know the producer take whichever of its records comes first.
  it("keeps a record that was refused for now while a later one would be taken", function()
    local p = new_producer({ ["batch.num.messages"] = 1, ["linger.ms"] = 0 })
    mock:refuse_produce("not_leader", 300)
    publish(p, { partition = 0, value = "first" })
    publish(p, { partition = 0, value = "second" })
    turn_till_flushed(p)
    local values = {}
    for i, record in ipairs(kcat.consume(mock:brokers(), topic, { partition = 0 })) do
      values[i] = record.value
    end
    assert.same({ "first", "second" }, values)
  end)

  it("retries without limit while there is no broker", function()
    local p = new_producer()
    publish(p, { value = "before" })
    turn_till_flushed(p)
    down()
    local delivery = publish(p, { value = "meanwhile" })
    wait.till("half a second", DEADLINE_MS, (function()
      local turns = 0
      return function()
        p:turn()
        turns = turns + 1
        return turns > 50
      end
    end)())
    assert.equal("pending", (delivery:state()))
    mock:up()
    turn_till_flushed(p)
    assert.equal("acknowledged", (delivery:state()))
  end)

  describe("with a full queue", function()
    local full = { ["queue.buffering.max.messages"] = 5 }

    it("says so, and posts when there is room", function()
        down()
      local p = new_producer(full)
      assert.equal(5, fill(p))
      p:wait_for_room(1)
      p:wait_for_room(2)
      p:turn()
      assert.same({}, p:posts())
      mock:up()
      turn_till(p, "room", function()
        return posts_of(p)[2]
      end)
      publish(p, { value = "y" })
      turn_till_flushed(p)
    end)

    it("posts also when the room came before anybody waited for it", function()
      local p = new_producer(full)
      assert.equal(5, fill(p))
      turn_till_flushed(p)
      p:wait_for_room(7)
      turn_till(p, "the ticket", function()
        return posts_of(p)[7]
      end)
    end)

    describe("that empties one by one", function()
      local one_by_one = { ["queue.buffering.max.messages"] = 5, ["batch.num.messages"] = 1,
        ["max.in.flight"] = 1 }

      it("posts when a part of it is free", function()
        mock:slow_produce(300, 5)
        local p = new_producer(one_by_one)
        fill(p)
        p:wait_for_room(1)
        turn_till(p, "the ticket", function()
          return posts_of(p)[1]
        end)
        assert.is_true(p:outstanding() > 0)
      end)

      it("unblocks when a part of it is free", function()
        mock:slow_produce(300, 5)
        local p = new_producer(one_by_one)
        fill(p)
        assert.is_true(p:block_for_room() > 0)
      end)
    end)

    it("loses nobody among threads that wait for room and for deliveries", function()
      mock:slow_produce(100, 3) -- so that the queue is full for a while
      local p = new_producer({ ["queue.buffering.max.messages"] = 7 })
      local acknowledged, woken, waits, failed = p:publish_from_threads(4, 300, false)
      turn_till_flushed(p)
      assert.equal(0, failed)
      assert.equal(woken, acknowledged)
      assert.is_true(waits > 0)
      assert.same({ 1200, 1200, 0 }, { p:counts() })
    end)

    it("blocks those that cannot wait otherwise until there is room", function()
      mock:slow_produce(100, 3) -- so that the queue is full for a while
      local p = new_producer({ ["queue.buffering.max.messages"] = 7 })
      local _, _, waits, failed = p:publish_from_threads(3, 300, true)
      turn_till_flushed(p)
      assert.equal(0, failed)
      assert.is_true(waits > 0)
      assert.same({ 900, 900, 0 }, { p:counts() })
    end)
  end)

  it("is connected once by threads that publish at the same time", function()
    local p = new_producer()
    local _, _, _, failed = p:publish_from_threads(8, 5, false)
    assert.equal(0, failed)
    turn_till_flushed(p)
    assert.equal(40, #kcat.consume(mock:brokers(), topic))
  end)

  it("gives up what is queued when the process stops, and reports that", function()
    down()
    local p = new_producer()
    local delivery = publish(p, { value = "x", record = 8 })
    p:purge()
    turn_till_flushed(p)
    assert.same({ "refused", "given up because the process stops" }, { delivery:state() })
    assert.equal(8, p:reports()[1].record)
  end)

  it("gives up what is on its way when the process stops", function()
    local p = new_producer()
    mock:slow_produce(15000, 1)
    local delivery = publish(p, { partition = 0, value = "x" })
    wait.till("the record at the broker", DEADLINE_MS, function()
      return kcat.end_offsets(mock:brokers(), topic, 1)[0] == 1
    end)
    p:purge()
    turn_till_flushed(p)
    assert.equal("refused", (delivery:state()))
  end)

  describe("whose handle is lost", function()
    it("sends again what it had, in its order, and before anything new", function()
      local p = new_producer()
      down()
      local headers = { { "a", "1" }, { "null" }, { "a", "" } }
      for i = 1, 50 do
        publish(p, { partition = 0, key = i % 2 == 0 and "k" or nil,
          value = i < 50 and "v" .. i or nil, timestamp = 1000 + i, headers = headers,
          record = i, attempt = 3 })
      end
      p:lose("sequence lost")
      assert.equal("full", p:publish({ partition = 0, value = "new" }))
      local delivery
      turn_till(p, "room", function()
        delivery = p:publish({ partition = 0, value = "new" })
        return delivery ~= "full"
      end)
      mock:up()
      turn_till_flushed(p)
      assert.equal("acknowledged", (delivery:state()))
      delivery:release()
      local records = kcat.consume(mock:brokers(), topic, { partition = 0 })
      assert.equal(51, #records)
      assert.same({ 1001, "v1", headers }, { records[1].timestamp, records[1].value,
        records[1].headers })
      for i, record in ipairs(records) do
        assert.equal(i < 50 and "v" .. i or i == 51 and "new" or nil, record.value)
        assert.equal(i % 2 == 0 and "k" or nil, record.key)
      end
      local reports = p:reports()
      assert.equal(50, #reports)
      for _, report in ipairs(reports) do
        assert.same({ 3 }, { report.attempt, report.reason })
      end
      assert.is_nil(p:fatal())
    end)

    it("gives up what it had when the process stops meanwhile", function()
      down()
      local p = new_producer()
      local delivery = publish(p, { value = "x" })
      p:lose("sequence lost")
      p:turn()
      p:purge()
      turn_till_flushed(p)
      assert.same({ "refused", "given up because the process stops" }, { delivery:state() })
    end)

    it("may lose the next one too", function()
      local p = new_producer()
      for i = 1, 2 do
        local delivery = publish(p, { value = "x" .. i })
        p:lose("sequence lost")
        turn_till_flushed(p)
        assert.equal("acknowledged", (delivery:state()))
        turn_till(p, "room", function()
          local next_one = p:publish({ value = "y" })
          return next_one ~= "full" and not next_one:release()
        end)
      end
    end)

    it("closes also when it is being made anew", function()
      local p = new_producer()
      publish(p, { value = "x" })
      turn_till_flushed(p)
      p:lose("sequence lost")
      p:turn()
      p:close()
    end)
  end)

  it("says why it cannot be connected", function()
    local p = producer.new("127.0.0.1:1", "orders", { acks = 1 })
    local ok, why = p:connect()
    assert.is_nil(ok)
    assert.matches("^producer p: `acks` must be set", why)
    assert.same({ "invalid", why }, { p:publish({ value = "x" }) })
    p:close()
  end)

  it("closes without ever having been connected", function()
    producer.new("127.0.0.1:1", "orders", {}):close()
  end)
end)

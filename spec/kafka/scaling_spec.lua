-- The example's 10 to 100 workers under a step of lag, and workers that come and go at random.

local oracle = require("spec.support.oracle")
local threads = require("spec.support.threads")
local traffic = require("spec.support.oracle_traffic")
local wait = require("spec.support.wait")
local uv = require("luv")

local function seconds()
  return uv.hrtime() / 1e9
end

local function count_workers(member)
  return #threads.named(member.process.pid, "orders/")
end

---The threads of the workers, in order.
local function ids(member)
  local list = {}
  for _, thread in ipairs(threads.named(member.process.pid, "orders/")) do
    table.insert(list, thread.id)
  end
  table.sort(list)
  return list
end

local function wait_workers(judge, member, count, deadline_s)
  judge:wait(count .. " workers", deadline_s * 1000, function()
    local running = count_workers(member)
    return running == count, running .. " run"
  end)
end

---How often the workers of this process have slept or were put aside.
local function switches(member)
  local sum = 0
  for _, thread in ipairs(threads.named(member.process.pid, "orders/")) do
    sum = sum + thread.switches
  end
  return sum
end

---What the pool did, as numbers: {10, 100, 10} is up and down again.
local function changes(member)
  local counts = {}
  for _, line in ipairs(member:log("^consumer orders: %d+ %-> %d+ workers: lag")) do
    local from, to = line.message:match("(%d+) %-> (%d+)")
    assert(#counts == 0 or counts[#counts] == math.tointeger(from), line.message)
    counts[1] = counts[1] or math.tointeger(from)
    table.insert(counts, math.tointeger(to))
  end
  return counts
end

local function end_well(judge, member)
  judge:wait_committed(20000)
  assert.equal(1, #member:log("^consumer orders: assigned"))
  assert.equal(0, #member:log("^consumer orders: gives back"))
  assert.equal(0, #member:log("^consumer orders: lost"))
  assert.equal(0, member:stop())
  assert.equal(0, judge.verdicts:repeated("begun"))
  assert.same({}, judge.verdicts.wrong)
end

local function example(consumer)
  consumer.buffer_size = 10
  consumer.workers = consumer.workers or { min = 10, max = 100, lag_threshold = 25 }
  return { partitions = 10, is_ordered = consumer.distribution == "key", consumer = consumer }
end

describe("On Kafka, workers that follow the lag", function()
  it("are 100 within 3 s of a step, and 10 again within 35 s of its end", function()
    local judge = oracle.new(example({ distribution = "free_worker" }))
    local member = judge:start_member()
    wait_workers(judge, member, 10, 5)
    local writer = judge:new_writer({ ["linger.ms"] = 5 })
    local began, grown = seconds(), nil
    for i = 1, 100000 do
      traffic.send(writer, judge.topic, "order-" .. i, 1, { block_ms = 5 })
      if i % 1000 == 0 and not grown and count_workers(member) == 100 then
        grown = seconds()
      end
    end
    if not grown then
      wait_workers(judge, member, 100, 5)
      grown = seconds()
    end
    assert.is_true(grown - began <= 3 * wait.patience, ("it took %.1f s"):format(grown - began))
    judge:wait_handled(60000)
    local handled = seconds()

    -- They are kept for 30 s, and cost nothing.
    wait_workers(judge, member, 100, 1)
    judge:wait_committed(10000)
    local before, cpu = switches(member), threads.cpu_seconds(member.process.pid)
    judge:wait("10 s of idleness", 20000, function()
      return seconds() - handled >= 15
    end)
    assert.equal(100, count_workers(member))
    assert.equal(before, switches(member))
    cpu = threads.cpu_seconds(member.process.pid) - cpu
    assert.is_true(cpu < 0.3 * wait.patience,
      ("idle for 10 s and more it ran for %.2f s"):format(cpu))

    wait_workers(judge, member, 10, 35)
    assert.is_true(seconds() - handled <= 35 * wait.patience,
      ("it took %.1f s"):format(seconds() - handled))
    -- Those that are left are still woken for what comes.
    for i = 1, 50 do
      traffic.send(writer, judge.topic, "late-" .. i, 1, {})
      judge:wait("a record in quiet times", 2000, function()
        judge:sample(true)
        return judge.verdicts.handled == 100000 + i
      end)
    end
    local counts = changes(member)
    local is_falling = false
    for i = 2, #counts do
      assert(not is_falling or counts[i] < counts[i - 1], "flaps: " .. table.concat(counts, " "))
      is_falling = is_falling or counts[i] < counts[i - 1]
    end
    end_well(judge, member)
  end)

  it("are not more for one stuck record, however much is done behind it", function()
    local judge = oracle.new(example({ distribution = "free_worker" }))
    local member = judge:start_member()
    traffic.send(judge:new_writer(), judge.topic, "stuck", 1, { wait_gate = "stuck" }, 0)
    local sent = judge:start_traffic({ rate = 1000, keys = 1000 })
    judge:wait("10,000 records", 30000, function()
      return judge.verdicts.handled >= 10000
    end)
    sent:stop()
    assert.same({}, changes(member))
    assert.equal(10, count_workers(member))
    judge.app:open_gate("stuck")
    judge:wait_handled(10000)
    end_well(judge, member)
  end)

  it("finish what they have in hand when they retire, and are the first to come back", function()
    local consumer = { distribution = "free_worker", handler_timeout = "2m",
      workers = { min = 1, max = 10, lag_threshold = 25 } }
    local options = example(consumer)
    consumer.buffer_size = 2
    local judge = oracle.new(options)
    local holders = {}
    judge.verdicts.on_begin = function(entry)
      holders[entry.key] = entry.worker
    end
    local member = judge:start_member()
    local writer = judge:new_writer()
    for i = 1, 20 do
      traffic.send(writer, judge.topic, "held-" .. i, 1, { wait_gate = "gate-" .. i })
    end
    for i = 1, 280 do
      traffic.send(writer, judge.topic, "quick-" .. i, 1, {})
    end
    judge:wait("every worker to hold two", 10000, function()
      return judge.verdicts:count_running({}) == 20
    end)
    -- Each worker keeps one of its two, so each can take what is quick.
    local keeps = {}
    for i = 1, 20 do
      local worker = holders["held-" .. i]
      if keeps[worker] then
        judge.app:open_gate("gate-" .. i)
      end
      keeps[worker] = keeps[worker] or "gate-" .. i
    end
    judge:wait("all that is not held", 10000, function()
      return judge.verdicts.handled == 290
    end)
    local before = ids(member)
    assert.equal(10, #before)
    member:wait_log("^consumer orders: 10 %-> 1 workers: lag 10, ", nil, 40000)

    local begun = {}
    judge.verdicts.on_begin = function(entry)
      begun[entry.worker] = true
    end
    for i = 1, 10 do
      traffic.send(writer, judge.topic, "slow-" .. i, 1, { block_ms = 10 })
    end
    judge:wait("10 more", 5000, function()
      return judge.verdicts.handled == 300
    end)
    local only = next(begun)
    assert(only and not next(begun, only), "a retiring worker takes records")
    assert.same(before, ids(member))

    for i = 1, 300 do
      traffic.send(writer, judge.topic, "more-" .. i, 1, { block_ms = 20 })
    end
    member:wait_log("^consumer orders: 1 %-> 10 workers", nil, 5000)
    judge:wait("300 more", 10000, function()
      return judge.verdicts.handled == 600
    end)
    for worker = 1, 10 do
      assert(begun[worker], ("worker %d did not come back"):format(worker))
    end
    assert.same(before, ids(member))
    for _, gate in pairs(keeps) do
      judge.app:open_gate(gate)
    end
    judge:wait_handled(5000)
    end_well(judge, member)
  end)

  it("lose nothing, handle nothing twice and keep each key's order over 2,000 changes", function()
    local judge = oracle.new(example({ distribution = "key", workers = { min = 1, max = 100 } }))
    local member = judge.app:start({ "run", "--only", "consumers" },
      { env = { LAGOON_SPEC_RESIZE_MS = "15" } })
    judge:wait_assigned(member)
    local sent = judge:start_traffic({ rate = 2000, keys = 500, event = function()
      return { random_ms = 5 }
    end })
    local most = 0
    judge.verdicts.on_begin = function(entry)
      most = math.max(most, entry.worker)
    end
    judge:wait("2,000 changes", 120000, function()
      return #member:log("workers: shaken$") >= 2000
    end)
    sent:stop()
    judge:wait_handled(30000)
    assert.is_true(most > 50, "no worker beyond " .. most)
    end_well(judge, member)
  end)
end)

local top = require("lagoon.top")

local BOUNDS = { 100, 1000, 10000, 30000000 }

-- An answer to `status`; what matters to a spec is given, the rest is as of a quiet consumer.
local function consumer(fields)
  local counts = { received = 0, handled = 0, retried = 0, dead_letters = 0, skipped = 0,
    failed = 0 }
  for name, count in pairs(fields.counts or {}) do
    counts[name] = count
  end
  return {
    name = fields.name or "orders", group = "g", state = "running", running = fields.running or 0,
    is_paused = fields.is_paused or false, is_rebalancing = false, counts = counts,
    handler_duration = { bounds_us = BOUNDS, counts = fields.durations or { 0, 0, 0, 0, 0 } },
    breaker = { is_open = false, given_up_in_a_row = 0 }, errors = fields.errors or {},
    window = { records = 0, max_records = 10000 },
    workers = { running = 4, wanted = fields.wanted or 4, min = 1, max = 20, retiring = 0,
      stuck = fields.stuck or 0, changes = fields.changes or {} },
    partitions = fields.partitions or {},
  }
end

local function partition(number, lag, fields)
  local one = { topic = "orders", partition = number, committed = 100, ["end"] = lag and 100 + lag,
    lag = lag, running = 0, unsettled = 0, is_revoking = false, is_stopped = false }
  for name, value in pairs(fields or {}) do
    one[name] = value
  end
  return one
end

local function answer(seconds, consumers, fields)
  local status = { instance = "1", process = 42, config = "config.lua", state = "running",
    uptime_ms = seconds * 1000, generation = 7, hash = "abc", is_reloading = false,
    usage = { cpu_ms = seconds * 500, resident_bytes = 64 << 20 }, consumers = consumers,
    producers = {} }
  for name, value in pairs(fields or {}) do
    status[name] = value
  end
  return status
end

local function seen(...)
  local shown = top.new(false)
  for _, status in ipairs({ ... }) do
    shown:look(status, 1000000000 + status.uptime_ms)
  end
  return shown
end

-- The lines of a screen, without what steers the terminal.
local function lines(shown, width, height)
  local text = shown:draw(width or 120, height or 40)
  local list = {}
  assert.equal("\27[H", text:sub(1, 3))
  for line in (text:sub(4):gsub("\27%[J$", "") .. "\r\n"):gmatch("(.-)\27%[K\r\n") do
    list[#list + 1] = line
  end
  return list
end

local function screen(...)
  return table.concat(lines(...), "\n")
end

-- The cells of the first line that begins so, under the heads of the table.
local function cells(shown, name)
  local found = {}
  for _, line in ipairs(lines(shown, 200)) do
    found.head = found.head or line:match("^  CONSUMER.*")
    found.row = found.row or line:match("^[> ] " .. name .. " .*")
  end
  local values, at = {}, 1
  for head in found.head:gmatch("%S+") do
    local from, to = found.head:find(head, at, true)
    values[head], at = found.row:sub(from, to):match("%S+"), to
  end
  return values, found.row
end

describe("lagoon top", function()
  it("tells what happened a second between two looks, not since the start", function()
    local values, row = cells(seen(
      answer(10, { consumer({ counts = { received = 1000, handled = 900, retried = 50 },
        errors = { handler = { count = 50, at = 1, last = "x" } },
        durations = { 900, 0, 0, 0, 0 } }) }),
      answer(12, { consumer({ counts = { received = 4000, handled = 2900, retried = 53,
        dead_letters = 1 },
        errors = { handler = { count = 53, at = 1, last = "x" },
          timeout = { count = 1, at = 2, last = "y" } },
        durations = { 900, 90, 8, 2, 0 }, running = 3, wanted = 9 }) })),
      "orders")
    assert.matches(" 1.5k +1.0k +2 +4>9/20 +3 +<1ms +<30s +53 +1$", row)
    assert.equal("running", row:match("^> orders +(%S+)"))
    assert.equal("-", values["CATCH-UP"])
  end)

  it("says where the lag goes and when it will be caught up, of partitions that it has had",
    function()
      local shown = seen(
        answer(10, { consumer({ partitions = { partition(0, 5000), partition(1, 100) } }) }),
        answer(20, { consumer({ counts = { handled = 1000 },
          partitions = { partition(0, 4000), partition(2, 70), partition(3, nil) } }) }))
      local _, row = cells(shown, "orders")
      -- 4070 are left; those of partition 0 go down by 100 a second.
      assert.matches(" 4.1k +%-100 +40s +0 +100 ", row)
      _, row = cells(seen(answer(10, { consumer({ partitions = { partition(0, 50) } }) }),
        answer(11, { consumer({ partitions = { partition(0, 60) } }) })), "orders")
      assert.matches(" 60 +%+10 +never ", row)
    end)

  it("calls no lag a backlog that is only the time between two commits", function()
    local _, row = cells(seen(answer(10, { consumer({ partitions = { partition(0, 900) } }) }),
      answer(11, { consumer({ counts = { handled = 1000 },
        partitions = { partition(0, 1100) } }) })), "orders")
    assert.matches(" 1.1k +%+200 +%- +0 +1.0k ", row)
  end)

  it("begins anew where counters do, as when a consumer joins again", function()
    local _, row = cells(seen(answer(10, { consumer({ counts = { handled = 500 } }) }),
      answer(11, { consumer({ counts = { handled = 3 } }) })), "orders")
    assert.matches(" 0 +%- +0 +4/20", row)
  end)

  it("forgets what is older than it needs", function()
    local shown = top.new(false)
    for second = 1, 100 do
      shown:look(answer(second, { consumer({ counts = { handled = second * second } }) }),
        second * 1000)
    end
    assert.equal(16, #shown.view.looks)
    local _, row = cells(shown, "orders")
    assert.matches(" 195 ", row) -- (100^2 - 95^2) / 5
  end)

  it("puts partitions in trouble first and says why they are, the rest by lag", function()
    local text = screen(seen(answer(10, { consumer({ partitions = {
      partition(0, 5), partition(1, 70), partition(2, 1, { is_revoking = true }),
      partition(3, 0, { is_stopped = true, stopped = { offset = 17, reason = "it\27[2J failed" } }),
    } }) })))
    local order = {}
    for number in text:gmatch("\n  orders +(%d)") do
      order[#order + 1] = number
    end
    assert.same({ "3", "2", "1", "0" }, order)
    assert.matches("\n      at offset 17: it?[2J failed\n", text, 1, true)
    assert.matches("> orders +1 stopped ", text)
  end)

  it("names partitions that stand still, and the last of what went wrong", function()
    local text = screen(seen(answer(10, { consumer({ errors = {
      handler = { count = 3, at = 1000000000, last = "boom" },
      timeout = { count = 1, at = 1000006000, last = "too\27long" } },
      partitions = { partition(0, 5), partition(1, 2, { is_stalled = true,
        oldest = { age_ms = 65000 }, stalled = { for_ms = 61000, offset = 9,
          handler = "handlers.a", reason = "it waits" } }) },
    }) })))
    assert.matches("> orders +1 stalled ", text)
    assert.matches("\n  4s ago, timeout: too?long\n", text, 1, true)
    assert.matches("\n  orders +1 +stalled +2 +%- +0 +1m +100 +102\n"
      .. "      for 1m 1s at offset 9, handlers.a: it waits\n  orders +0 +5 ", text)
  end)

  it("says when it looks at another version, and shows nothing half", function()
    local other = answer(10, { consumer({}) })
    other.consumers[1].errors = nil
    local is_seen, message = pcall(seen, other)
    assert.is_false(is_seen)
    assert.matches("^the lagoon that runs is of another version", message)
  end)

  it("names a consumer's worst state", function()
    local text = screen(seen(answer(10, { consumer({ name = "a", is_paused = true }),
      consumer({ name = "b", stuck = 2, is_paused = true }) })))
    assert.matches("> a +paused ", text)
    assert.matches("  b +2 stuck ", text)
  end)

  it("says of the process what it takes, that it reloads, and that its files would not start",
    function()
      local text = screen(seen(answer(10, {}), answer(12, {}, { is_reloading = true,
        refusal = "a.lua:1: unexpected symbol\nstack" })), 110)
      assert.matches("^lagoon config.lua  instance 1  process 42  up 12s  running  "
        .. "generation 7, reloads", text)
      assert.matches("cpu 50%%  memory 64 MiB\n", text)
      assert.matches("\nthe files as they are would not start: a.lua:1: unexpected symbol\n", text)
      assert.matches("\nno consumer runs in this process\n", text)
    end)

  it("says why there are so many workers", function()
    local shown = seen(answer(10, { consumer({ changes = { { at = 1000000000 - 50000, from = 4,
      to = 9, reason = "lag 1000, 25 a worker" } } }) }))
    assert.matches("  4 -> 9 workers 1m 0s ago: lag 1000, 25 a worker", screen(shown), 1, true)
  end)

  it("shows what producers do", function()
    local function producer(published, refused)
      return { producers = { { name = "out", published = published, acknowledged = published,
        refused = refused, outstanding = 4 } } }
    end
    local text = screen(seen(answer(10, {}, producer(0, 0)), answer(12, {}, producer(500, 3))))
    assert.matches("\n  out +250 +250 +3 +4\n", text)
  end)

  it("fits every terminal, and keeps the chosen consumer on it", function()
    local consumers, parts = {}, {}
    for i = 0, 99 do
      parts[i + 1] = partition(i, i)
    end
    for i = 1, 30 do
      consumers[i] = consumer({ name = ("ünïque-consumer-with-a-long-name-%02d"):format(i),
        partitions = parts })
    end
    local status = answer(10, consumers, { refusal = ("x"):rep(300), producers = { {
      name = "p", published = 1, acknowledged = 1, refused = 0, outstanding = 0 } } })
    local shown = seen(status, status)
    for _ = 1, 19 do
      shown:type("j")
    end
    for _, width in ipairs({ 1, 2, 20, 41, 80, 133, 200 }) do
      for _, height in ipairs({ 1, 2, 3, 5, 8, 12, 17, 25, 60 }) do
        local list = lines(shown, width, height)
        assert.equal(height, #list)
        for _, line in ipairs(list) do
          assert.is_true(utf8.len(line) <= width, line)
        end
        if height >= 12 and width > 40 then
          assert.matches("\n> ünïque%-con", table.concat(list, "\n"))
        end
      end
    end
    assert.matches("\n> ünïque-consumer-with-a-long-name-20 ", screen(shown, 150, 60), 1, true)
    assert.matches("\n  ... %d+ more: lagoon status\n", screen(shown, 150, 60))
  end)

  it("colours only where it may", function()
    local status = answer(10, { consumer({ stuck = 1 }) })
    assert.is_nil(seen(status):draw(100, 30):find("\27%[[%d;]*m"))
    local shown = top.new(true)
    shown:look(status, 1000)
    assert.matches("\27[31;1m> orders ", shown:draw(100, 30), 1, true)
  end)
end)

describe("a key of lagoon top", function()
  local shown

  before_each(function()
    shown = seen(answer(10, {
      consumer({ name = "b", partitions = { partition(0, 1) } }),
      consumer({ name = "a", is_paused = true, partitions = { partition(0, 9) } }),
      consumer({ name = "c" }),
    }))
  end)

  local function chosen()
    return screen(shown):match("\n> (%S+)")
  end

  it("chooses a consumer, from the first to the last and no further", function()
    assert.equal("b", chosen())
    for _, step in ipairs({ { "\27[B", "a" }, { "\27OB", "c" }, { "j", "c" }, { "k", "a" },
      { "\27[A\27[A\27[A", "b" } }) do
      assert.is_nil(shown:type(step[1]))
      assert.equal(step[2], chosen(), step[1])
    end
  end)

  it("pauses or resumes the chosen one only when that is confirmed", function()
    assert.is_nil(shown:type("p"))
    assert.matches("\npause consumer b%? y: yes, any other key: no$", screen(shown))
    assert.is_nil(shown:type("n"))
    assert.is_nil(shown:type("y"))
    assert.same({ "pause", "b" }, { shown:type("py") })
    shown:type("j")
    assert.same({ "resume", "a" }, { shown:type("py") })
    assert.is_nil(shown:type("p\27[A"))
    assert.equal("a", chosen())
  end)

  it("sorts, while the chosen one stays it", function()
    shown:type("j")
    local function order()
      local names = {}
      for name in screen(shown):gmatch("\n[> ] (%l) ") do
        names[#names + 1] = name
      end
      return table.concat(names)
    end
    local orders = {}
    for i = 1, 6 do
      orders[i] = order()
      assert.equal("a", chosen())
      shown:type("s")
    end
    assert.same({ "bac", "abc", "bac", "bac", "abc", "bac" }, orders)
  end)

  it("shows the keys, and the next one goes back", function()
    shown:type("?")
    assert.matches("^Keys\n", screen(shown))
    assert.is_nil(shown:type("q"))
    assert.matches("^lagoon config.lua ", screen(shown))
    assert.equal("quit", shown:type("q"))
  end)

  it("of which a terminal sends several bytes is not taken for others", function()
    for _, bytes in ipairs({ "\27[15~", "\27[1;5q", "\27q", "\27Oq", "\27", "\27[200~", "\27[",
      "\xff", "é" }) do
      assert.is_nil(shown:type(bytes), bytes)
      assert.matches("^lagoon config.lua ", screen(shown))
    end
  end)

  it("is answered with what came of it, which a while later is gone", function()
    shown:tell("consumer b is paused\nmore", 1000010000)
    assert.matches("\nconsumer b is paused$", screen(shown))
    shown:look(answer(11, {}), 1000019000)
    assert.matches("\nconsumer b is paused$", screen(shown))
    shown:look(answer(12, {}), 1000021000)
    assert.matches("\nq ends ", screen(shown))
  end)

  it("does not hide that there is no answer any more", function()
    shown:miss(12.5)
    assert.matches("\nno answer for 12s: what is shown is as old$", screen(shown))
    shown:look(answer(23, {}), 1000023000)
    assert.matches("\nq ends ", screen(shown))
  end)
end)

-- `lagoon handle`: one record through a consumer's handlers. No broker runs.

local json = require("cjson")

local application = require("spec.support.application")
local sanitizer = require("spec.support.sanitizer")

local CONFIG = [[
return {
  cluster = { brokers = env("NO_SUCH_BROKERS", "127.0.0.1:1") },
  topics = { receipts = { partitions = 4 } },
  producers = {
    receipts = { topic = "receipts", key_field = "payment_id", key_missing = "error" },
    letters = { topic = "letters" },
  },
  consumers = {
    payments = {
      topic = "payments",
      group = "g",
      handler_timeout = "3h",
      handlers = { OrderPaid = "handlers.paid", Odd = "handlers.odd" },
    },
    strict = {
      topic = "payments",
      group = "h",
      handlers = { OrderPaid = "handlers.paid" },
      on_unknown_type = "stop",
    },
    patient = {
      topic = "payments",
      group = "i",
      handler_timeout = "24h",
      handlers = { Odd = "handlers.odd" },
    },
  },
}
]]

local SCRIPTS = {
  ["handlers/paid"] = [[
local lagoon = require("lagoon")
local receipts = lagoon.producer("receipts")

return function(event, context)
  local began = lagoon.now()
  lagoon.sleep("2h")
  lagoon.log.info("slept", { hours = (lagoon.now() - began) // 3600000 })
  local first = receipts:publish("Receipt", { payment_id = event.id })
  receipts:publish("Receipt", nil, { key = "old" })
  local partition, offset = first:await()
  lagoon.log.warn("receipt", { partition = partition, offset = offset })
  lagoon.producer("letters"):publish("Letter", context:headers(), {
    key = lagoon.null, partition = 7, timestamp = 1700000000000,
    headers = { { "from", context.topic }, { "from", "\xff" }, { "nobody", lagoon.null } },
  })
  print(context.key, context:raw())
end
]],
  ["handlers/odd"] = [[
local lagoon = require("lagoon")

return function(event, context)
  if not event then
    return nil, "a tombstone of " .. tostring(context.key)
  elseif event.sleeps then
    repeat lagoon.sleep(event.sleeps) until false
  elseif event.spins then
    while true do pcall(error) end
  elseif event.again then
    lagoon.retry("not yet", { after = 2.5 })
  elseif event.skips then
    lagoon.skip("of no interest")
  end
  lagoon.log.error("about to fail", { event = event })
  local receipt, payload = lagoon.producer("receipts"), event.payload
  receipt:publish("Receipt", { payment_id = "p" })
  payload = event.copies and payload:rep(event.copies) or payload
  receipt:publish("Receipt", payload, { key = event.key, partition = event.partition,
    topic = event.topic })
end
]],
}

---@return string stdout, integer code, string stderr
local function handle(arguments, input, env)
  local app = application.new("", CONFIG, SCRIPTS)
  local process = app:run({ "handle", table.unpack(arguments) }, { input = input or "", env = env })
    .process
  return process:stdout(), process.code, process:stderr()
end

---@return table outcome, integer code
local function handle_json(arguments, input)
  local stdout, code, stderr = handle({ "--json", table.unpack(arguments) }, input)
  assert.equal("", stderr)
  assert.equal(1, select(2, stdout:gsub("\n", "")))
  return json.decode(stdout), code
end

describe("lagoon handle", function()
  it("prints how the record ended, what was logged, and what would have been published", function()
    local stdout, code, stderr = handle({ "payments", "OrderPaid", "--key", "k-1",
      "--header", "a=b=c" }, '{"id": "p-1"}\n')
    assert.equal([==[
done
logged:
  INFO  slept  hours=2
  WARN  receipt  offset=0 partition=0
  INFO  k-1 {"id": "p-1"}
would have published:
  Receipt by receipts, to receipts, key p-1
    Message-Type: Receipt
    {"payment_id":"p-1"}
  Receipt by receipts, to receipts, key old
    Message-Type: Receipt
    (tombstone)
  Letter by letters, to letters[7], null key
    Message-Type: Letter
    from: payments
    from: \xff
    nobody: (null)
    [["Message-Type","OrderPaid"],["a","b=c"]]
]==], stdout)
    assert.equal(0, code)
    assert.equal("", stderr)
  end)

  it("says the same in one JSON object for programs", function()
    local outcome, code = handle_json({ "payments", "OrderPaid" }, '{"id":"p-1"}')
    assert.equal(0, code)
    assert.same({
      result = "done",
      logs = {
        { level = "info", message = "slept", fields = { hours = 2 } },
        { level = "warn", message = "receipt", fields = { partition = 0, offset = 0 } },
        { level = "info", message = 'nil {"id":"p-1"}', fields = {} },
      },
      published = {
        { producer = "receipts", topic = "receipts", type = "Receipt", key = "p-1",
          headers = { { "Message-Type", "Receipt" } },
          value = { payment_id = "p-1" } },
        { producer = "receipts", topic = "receipts", type = "Receipt", key = "old",
          headers = { { "Message-Type", "Receipt" } }, value = json.null },
        { producer = "letters", topic = "letters", type = "Letter", key = json.null,
          partition = 7, timestamp = 1700000000000,
          headers = { { "Message-Type", "Letter" }, { "from", "payments" },
            { "from", { hex = "ff" } }, { "nobody", json.null } },
          value = { { "Message-Type", "OrderPaid" } } },
      },
    }, outcome)
  end)

  it("says why a record fails and where, with what was done before, and exits with 7", function()
    local stdout, code = handle({ "payments", "Odd" }, '{"key": "k", "topic": "a b"}')
    assert.equal(7, code)
    assert.equal([[
failed: scripts/handlers/odd.lua:19: publish: "a b" cannot be a topic's name
  stack traceback:
    [C]: in method 'publish'
    scripts/handlers/odd.lua:19: in function 'handlers.odd'
    [C]: in ?
logged:
  ERROR about to fail  event={"key":"k","topic":"a b"}
would have published:
  Receipt by receipts, to receipts, key p
    Message-Type: Receipt
    {"payment_id":"p"}
]], (stdout:gsub("%(%.%.%.tail calls%.%.%.%)\n", "")))
  end)

  local function assert_failure(pattern, event, arguments)
    local outcome, code = handle_json(arguments or { "payments", "Odd" }, event)
    assert.matches(pattern, outcome.error)
    assert.equal(7, code)
    return outcome
  end

  it("refuses at the call what a producer would refuse", function()
    local outcome = assert_failure("^scripts/handlers/odd.lua:19: publish: topic \"receipts\" " ..
      "has no partition 4$", '{"key": "k", "partition": 4}')
    assert.same({ "failed", 1 }, { outcome.result, #outcome.published })
    assert.matches("^stack traceback:\n.*odd.lua:19:", outcome.traceback)
    assert_failure("publish: a record of 1114114 bytes for topic \"receipts\" is too large",
      '{"key": "k", "payload": "x", "copies": 1114111}')
    assert_failure("publish: a nil event is a tombstone and needs a key", "{}")
    assert_failure("publish: the event has no 'payment_id'", '{"payload": {"a": 1}}')
  end)

  it("treats what cannot be handled as the runtime does", function()
    local outcome = assert_failure("^the value is not JSON: byte 1", "{oops")
    assert.same({ "invalid", {} }, { outcome.result, outcome.published })
    assert_failure("^the value is not JSON", "")
    assert_failure("^the record has no type: no header 'Message%-Type' and no field 'type'$",
      "{}", { "payments" })
    assert_failure("^the value has 1048577 bytes, max_record is 1048576$", (" "):rep(1048577))
    assert_failure("^a tombstone of k$", nil, { "payments", "Odd", "--tombstone", "--key", "k" })
    assert_failure("handler_timeout", '{"sleeps": 60}')
    assert_failure("^the handler sleeps for ever$", '{"sleeps": 0.001}', { "patient", "Odd" })
  end)

  it("ends a handler that computes for ever", function()
    if sanitizer.holds_signals then
      return pending("ThreadSanitizer holds back the signal that ends a loop")
    end
    assert_failure("ended: it used 1.0 s of CPU time without a wait %(cpu_limit%)$",
      '{"spins": true}')
  end)

  it("says why an empty standard input is no event", function()
    local process = application.new("", CONFIG, SCRIPTS)
      :run({ "handle", "payments", "Odd" }, { input = "" }).process
    assert.equal(7, process.code)
    assert.equal("lagoon handle: standard input was empty, and is the record's value; --tombstone "
      .. "is for a record without one\n", process:stderr())
  end)

  it("takes the type from a header too", function()
    local outcome = handle_json({ "payments", "--header", "Message-Type=OrderPaid" }, '{"id":"p"}')
    assert.equal("done", outcome.result)
  end)

  it("says which type it may have been, and fails where such a record stops a partition", function()
    local outcome, code = handle_json({ "payments", "OrderPayd" }, "{}")
    assert.same({ "unknown_type", 0,
      "no handler takes the type 'OrderPayd', did you mean 'OrderPaid'?" },
      { outcome.result, code, outcome.error })
    outcome, code = handle_json({ "strict", "Unknown" }, "{}")
    assert.same({ "unknown_type", "no handler takes the type 'Unknown'", 7 },
      { outcome.result, outcome.error, code })
  end)

  it("says what the handler asked for", function()
    local outcome, code = handle_json({ "payments", "Odd" }, '{"again": true}')
    assert.same({ "retry", "not yet", 2.5, 7 },
      { outcome.result, outcome.error, outcome.retry_after, code })
    outcome, code = handle_json({ "payments", "Odd" }, '{"skips": true}')
    assert.same({ "skipped", "of no interest", 0 }, { outcome.result, outcome.error, code })
  end)

  it("names what is wrong with the command line", function()
    local function assert_usage(arguments, message)
      local stdout, code, stderr = handle(arguments)
      assert.same({ "", 2, message }, { stdout, code, stderr:match("^[^\n]*") })
    end
    assert_usage({ "paiments", "OrderPaid" },
      "lagoon handle: there is no consumer 'paiments' in config.lua, did you mean 'payments'?")
    assert_usage({ "x", "OrderPaid" },
      "lagoon handle: there is no consumer 'x' in config.lua; it has: payments strict patient")
    assert_usage({ "payments", "OrderPaid", "--header", "=b" },
      "lagoon handle: --header takes NAME=VALUE, got '=b'")
    assert_usage({}, "lagoon handle: too few arguments")
    assert_usage({ "payments", "OrderPaid", "now" }, "lagoon handle: too many arguments")
  end)

  it("checks config and scripts like check, but --dev stands in for what env() misses", function()
    local app = application.new("", (CONFIG:gsub(', "127.0.0.1:1"', "")), SCRIPTS)
    local function run(...)
      return app:run({ "handle", "payments", "Odd", "--json", ... }, { input = "{" }).process
    end
    local process = run()
    assert.equal(3, process.code)
    assert.matches("^config.lua:2: env%(\"NO_SUCH_BROKERS\"%)", process:stderr())
    process = run("--dev")
    assert.equal(7, process.code)
    assert.equal("invalid", json.decode(process:stdout()).result)
    app:script("handlers/odd", "return {")
    process = run("--dev")
    assert.equal(3, process.code)
    assert.matches("^scripts/handlers/odd.lua:1: ", process:stderr())
  end)
end)

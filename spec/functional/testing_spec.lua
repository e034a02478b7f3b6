-- lagoon.testing, as a test of an application uses it: in plain busted, in a process of its own.

local json = require("cjson")
local uv = require("luv")

local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local process = require("spec.support.process")

local CONFIG = [[
return {
  cluster = { brokers = env("NO_SUCH_BROKERS") },
  producers = { out = { topic = "out", key_field = "id" } },
  consumers = {
    orders = { topic = "in", group = "g", handlers = {
      Paid = "handlers.paid", Odd = "handlers.odd" } },
    broken = { topic = "in", group = "h", handlers = { Paid = "handlers.broken" } },
    asking = { topic = "in", group = "i", handlers = { Asked = "handlers.asking" } },
  },
}
]]

local SCRIPTS = {
  ["config.lua"] = CONFIG,
  ["scripts/services/shipping.lua"] = "return { ship = function() error('a real call') end }",
  ["scripts/handlers/paid.lua"] = [[
local lagoon = require("lagoon")
local shipping = require("services.shipping")

local out = lagoon.producer("out")
local count = 0

return function(event, context)
  count = count + 1
  local began = lagoon.now()
  lagoon.sleep(20)
  local number = shipping.ship(event.id)
  local partition, offset = out:publish("Shipped", { id = event.id, number = number,
    none = lagoon.null }, { headers = { trace = context:header("trace") } }):await()
  print("shipped", number)
  lagoon.log.debug("waited", { seconds = (lagoon.now() - began) // 1000,
    place = { partition, offset }, count = count, key = context.key, topic = context.topic,
    attempt = context.attempt })
end
]],
  ["scripts/handlers/odd.lua"] = [[
local lagoon = require("lagoon")

local acts = {
  raise = function() error({ code = 7 }) end,
  exit = function() os.exit(0) end,
  retry = function() lagoon.retry("later", { after = 3 }) end,
  skip = function() lagoon.skip("of no use") end,
  bury = function() lagoon.dead_letter("beyond help") end,
  forever = function() while true do lagoon.sleep(1) end end,
  count = function() return nil, "count " .. lagoon.shared("c"):incr("n", 1, { ttl = "15s" }) end,
  rest = function() lagoon.sleep(20) end,
  raw = function(context) return nil, context:raw() end,
  coroutine = function()
    local inner = coroutine.wrap(function() lagoon.sleep(1); return "through" end)
    return nil, inner()
  end,
}

return function(event, context)
  return acts[event and event.act or "raw"](context)
end
]],
  ["scripts/handlers/broken.lua"] = "return 5",
  ["scripts/handlers/asking.lua"] = [[
local lagoon = require("lagoon")
return function(_, context)
  local answer, reason = lagoon.http.request({ url = "http://stock/1", body = "x", timeout = "2s",
    headers = { ["Idempotency-Key"] = context:id(), ["x-n"] = 5 } })
  return nil, answer and ("%d %s %q"):format(answer.status, answer.headers["x-why"],
    answer.body):gsub('"', "'") or reason
end
]],
}

local testing_so = os.getenv("LAGOON_SPEC_TESTING")

local function sorted(list)
  table.sort(list)
  return list
end

---Runs one test file of an application; says what busted printed.
---@param spec string
---@param files? table<string, string>
---@return string output, integer code
local function busted(spec, files)
  local path = directory.with(SCRIPTS)
  for name, text in pairs(files or {}) do
    directory.write(path .. "/" .. name, text)
  end
  directory.write(path .. "/spec/it_spec.lua",
    "local testing = require('lagoon.testing')\n" .. spec)
  local folder = uv.fs_realpath(testing_so):match("^(.*)/lagoon/testing%.so$")
  local command = { "lua5.4", "/usr/bin/busted", "-o", "plainTerminal" }
  local run = process.run(command, { directory = path,
    env = { LUA_CPATH = folder .. "/?.so;;" } })
  return run:stdout() .. run:stderr(), run.code
end

local function assert_passes(count, spec, files)
  local output, code = busted(spec, files)
  assert(code == 0 and output:find(("\n%d success"):format(count)), (output:gsub("\n+", " | ")))
  return output
end

describe("lagoon.testing", function()
  it("gives the outcome of a record and all that its handler published", function()
    assert_passes(1, [[
package.loaded["services.shipping"] = { ship = function(id) return "track-" .. id end }
local lagoon = require("lagoon")

it("ships", function()
  local outcome, published = testing.handle("orders", { type = "Paid", key = 12,
    value = { id = "o-1" }, headers = { trace = "t-1" }, attempt = 2 })
  assert.same({
    result = "done",
    logs = {
      { level = "info", message = "shipped track-o-1", fields = {} },
      { level = "debug", message = "waited", fields = { seconds = 20, place = { 0, 0 }, count = 1,
        key = "12", topic = "in", attempt = 2 } },
    },
  }, outcome)
  assert.same(1, #published)
  local event = { id = "o-1", number = "track-o-1", none = lagoon.null }
  assert.same(event, published[1].event)
  assert.same(event, lagoon.json.decode(published[1].value))
  published[1].value, published[1].event = nil, nil
  assert.same({ producer = "out", topic = "out", type = "Shipped", key = "o-1",
    headers = { ["Message-Type"] = "Shipped", trace = "t-1" },
    header_list = { { "Message-Type", "Shipped" }, { "trace", "t-1" } } }, published[1])
end)
]])
  end)

  it("shares what handlers share with the test, until it is reset or its time is over", function()
    assert_passes(1, [[
local function act(name)
  return testing.handle("orders", { type = "Odd", value = { act = name } }).error
end

it("counts", function()
  testing.reset()
  local store = require("lagoon").shared("c")
  store:set("n", 5)
  assert.equal("count 6", act("count"))
  testing.reset()
  assert.equal("count 1", act("count"))
  assert.equal("count 2", act("count"))
  assert.equal(2, store:get("n"))
  act("rest")
  assert.is_nil(store:get("n"))
  assert.equal("count 1", act("count"))
end)
]])
  end)

  it("runs handlers where a test can stub what they call", function()
    assert_passes(2, [[
local shipping = require("services.shipping")

it("sees the call", function()
  local ship = stub(shipping, "ship").returns(5)
  assert.equal("done", testing.handle("orders", { type = "Paid", value = { id = "o" } }).result)
  assert.stub(ship).was.called_with("o")
  ship:revert()
end)

it("has what is real otherwise", function()
  local outcome, published = testing.handle("orders", { type = "Paid", value = { id = "o" } })
  assert.equal("failed", outcome.result)
  assert.equal("scripts/services/shipping.lua:1: a real call", outcome.error)
  assert.matches("^stack traceback:\n.*scripts/handlers/paid.lua:11: in", outcome.traceback)
  assert.same({}, published)
end)
]])
  end)

  it("answers the HTTP requests of handlers by a function of the test, and sends none", function()
    assert_passes(3, [[
local function ask() return testing.handle("asking", { type = "Asked", offset = 7 }) end

it("says how", function()
  assert.matches("by testing.http%(function%(request%)", ask().error)
end)

it("is asked what a server would be", function()
  testing.http(function(request)
    assert(request.headers["idempotency-key"] == "in-0-7" and request.headers["X-N"] == "5")
    request.headers = nil
    assert.same({ method = "POST", url = "http://stock/1", body = "x", timeout = 2 }, request)
    require("lagoon").sleep(1)
    return { status = 409, headers = { ["X-Why"] = "gone" } }
  end)
  assert.equal("409 gone ''", ask().error)
  testing.http(function() return nil, "no route" end)
  assert.equal("no route", ask().error)
end)

it("is told what is no answer", function()
  testing.http(function() return { status = "200" } end)
  assert.matches("status must be an integer, got 200", ask().error)
  testing.http(function() end)
  assert.matches("must return {status = ...}", ask().error, 1, true)
  assert.has_error(function() testing.http("x") end,
    "testing.http takes a function, or nil for none, got string")
  testing.http(nil)
  assert.matches("by testing.http", ask().error)
end)
]])
  end)

  it("says how else a record can end", function()
    assert_passes(1, [[
it("ends", function()
  local function assert_ends(result, message, record)
    record.type = record.type or "Odd"
    local outcome = testing.handle("orders", record)
    assert.same({ result, message }, { outcome.result, outcome.error })
    return outcome
  end
  assert_ends("failed", '{"code":7}', { value = { act = "raise" } })
  assert_ends("failed", "scripts/handlers/odd.lua:5: os.exit is not available: it would affect " ..
    "the whole process", { value = { act = "exit" } })
  assert.equal(3, assert_ends("retry", "later", { value = { act = "retry" } }).retry_after)
  assert_ends("skipped", "of no use", { value = { act = "skip" } })
  assert_ends("dead_letter", "beyond help", { value = { act = "bury" } })
  assert.matches("handler_timeout",
    testing.handle("orders", { type = "Odd", value = { act = "forever" } }).error)
  assert_ends("failed", "through", { value = { act = "coroutine" } })
  assert_ends("failed", '{"a": 1}', { value = '{"a": 1}' })
  assert_ends("done", nil, {})
  assert_ends("invalid", "the value is not JSON: byte 0: expected a value, found 'o'",
    { value = "oops" })
  assert_ends("unknown_type", "no handler takes the type 'Nothing'", { type = "Nothing" })
end)
]])
  end)

  it("leaves the test's own functions alone", function()
    local output = assert_passes(1, [[
local thread = coroutine.create(function()
  return require("lagoon").now(), testing.handle("orders", { type = "Odd" }).result
end)

it("is a test as any other", function()
  testing.handle("orders", { type = "Odd" })
  print("as Lua prints")
  local now, result = select(2, coroutine.resume(thread))
  assert.is_true(math.type(now) == "integer" and result == "done")
  assert.is_false(pcall(coroutine.wrap(function() error("x") end)))
  assert.equal("done", testing.handle("orders", { type = "Odd" }).result)
  assert.has_error(function() require("lagoon").sleep(1) end,
    "lagoon.sleep: cannot wait at the top of a file, only in a handler")
end)
]])
    assert.matches("as Lua prints\n", output, 1, true)
    assert.is_nil(output:find("INFO", 1, true))
  end)

  it("loads scripts anew after a reset, and for another application", function()
    assert_passes(1, [[
it("forgets", function()
  local function count(application)
    local outcome = application.handle == testing.handle
      and testing.handle("orders", { type = "Paid", value = { id = "o" } })
      or application:handle("orders", { type = "Paid", value = { id = "o" } })
    return outcome.error or outcome.logs[2].fields.count
  end
  local fake = { ship = function() end }
  package.loaded["services.shipping"] = fake
  assert.same({ 1, 2 }, { count(testing), count(testing) })
  testing.reset()
  assert.equal(fake, package.loaded["services.shipping"])
  assert.equal(1, count(testing))
  local other = testing.open({ config = "other/config.lua" })
  assert.same({ "scripts of the other", 2 }, { count(other), count(testing) })
  package.loaded["services.shipping"] = nil
  assert.matches("a real call", count(testing.open()))
end)
]], { ["other/config.lua"] = CONFIG,
      ["other/scripts/handlers/paid.lua"] =
        "return function() error('scripts of the other', 0) end",
      ["other/scripts/handlers/odd.lua"] = "return print",
      ["other/scripts/handlers/broken.lua"] = "return print" })
  end)

  it("goes the whole way: middlewares, codecs, hooks, and the type of a field", function()
    assert_passes(2, [[
it("goes", function()
  local outcome, published = testing.handle("orders", { value = { kind = "Paid", id = "o" } })
  assert.same({ "done", nil }, { outcome.result, outcome.error })
  assert.same("loaded, around, Paid o, sent", table.concat(TRACE, ", "))
  assert.same({ "kind=Shipped;id=o", { kind = "Shipped", id = "o" }, "here" },
    { published[1].value, published[1].event, published[1].headers.where })
  assert.equal("plain", published[2].event)
  testing.reset()
  assert.equal("unloaded", TRACE[#TRACE])
end)

it("needs text for what no codec writes", function()
  assert.equal("done", testing.handle("raw", { value = "x" }).result)
  assert.has_error(function() testing.handle("raw", { value = {} }) end,
    "value must be a string, as the codec of consumer 'raw' is raw, got table")
end)
]], {
      ["config.lua"] = [[
return {
  cluster = { brokers = "b:1" },
  producers = {
    out = { topic = "out", codec = "codec", headers = { where = "here" },
      middlewares = { "sent" } },
    plain = { topic = "out", codec = "raw" },
  },
  consumers = {
    orders = { topic = "in", group = "g", codec = "codec", type_field = "kind",
      middlewares = { "around" }, handlers = { Paid = "steps:paid" } },
    raw = { topic = "in", group = "h", codec = "raw", handler = "steps:raw" },
  },
}
]],
      ["scripts/trace.lua"] = "TRACE = TRACE or {}; return function(t) TRACE[#TRACE + 1] = t end",
      ["scripts/around.lua"] = [[
return function(event, context, next)
  require("trace")("around")
  return next(event, context)
end
]],
      ["scripts/sent.lua"] = [[
return function(event, context, next)
  require("trace")("sent")
  return next(event, context)
end
]],
      ["scripts/codec.lua"] = [[
return {
  encode = function(event) return ("kind=%s;id=%s"):format(event.kind, event.id) end,
  decode = function(text)
    return { kind = text:match("kind=(%w+)"), id = text:match("id=(%w+)") }
  end,
}
]],
      ["scripts/steps.lua"] = [[
local lagoon = require("lagoon")
local out, plain = lagoon.producer("out"), lagoon.producer("plain")
local trace = require("trace")
return {
  on_load = function() trace("loaded") end,
  on_unload = function() trace("unloaded") end,
  raw = print,
  paid = function(event, context)
    trace(context.type .. " " .. event.id)
    out:publish("Shipped", { kind = "Shipped", id = event.id })
    plain:publish("Plain", "plain")
  end,
}
]] })
  end)

  it("stands in nobody's way when it finds no config, and says so", function()
    assert_passes(1, [[
it("finds", function()
  assert.is_table(require("pl.pretty"))
  local _, message = pcall(require, "services.shipping")
  assert.matches("lagoon.testing: config.lua:1: ", message, 1, true)
  assert.matches("^config.lua:1: ", select(2, pcall(testing.handle, "orders", {})))
end)
]], { ["config.lua"] = "return {" })
  end)

  it("is what an editor completes", function()
    local _, functions = docs.annotations(directory.read("lua/testing.d.lua"))
    local classes = docs.annotations(directory.read("lua/testing.d.lua"))
    local function names(class)
      local list = {}
      for _, field in ipairs(classes["lagoon.testing." .. class]) do
        table.insert(list, field.name)
      end
      return json.encode(list)
    end
    assert_passes(1, ([[
it("has these names", function()
  local names = {}
  for name in pairs(testing) do
    table.insert(names, "testing." .. name)
  end
  for name in pairs(debug.getmetatable(testing.open()).__index) do
    table.insert(names, not name:find("^__") and "Application:" .. name or nil)
  end
  table.sort(names)
  assert.same(%s, names)
  local record = {}
  for _, name in ipairs(%s) do
    record[name] = ({ headers = {}, timestamp = 1, attempt = 1, offset = 0, partition = 0 })[name]
      or "x"
  end
  assert.equal("unknown_type", testing.handle("orders", record).result)
end)
]]):format(json.encode(sorted(functions)):gsub("[%[%]]", { ["["] = "{", ["]"] = "}" }),
      (names("Record"):gsub("[%[%]]", { ["["] = "{", ["]"] = "}" }))))
  end)

  it("begins anew with every file that busted runs", function()
    assert_passes(2, [[
it("counts", function()
  package.loaded["services.shipping"] = { ship = function() end }
  local outcome = testing.handle("orders", { type = "Paid", value = { id = "o" } })
  assert.equal(1, outcome.logs[2].fields.count)
end)
]], { ["spec/again_spec.lua"] = [[
it("counts from the start", function()
  local testing = require("lagoon.testing")
  package.loaded["services.shipping"] = { ship = function() end }
  local outcome = testing.handle("orders", { type = "Paid", value = { id = "o" } })
  assert.equal(1, outcome.logs[2].fields.count)
end)
]] })
  end)

  it("says what is wrong with a test, its config or its scripts", function()
    assert_passes(1, [[
it("raises", function()
  local function assert_raises(message, ...)
    local arguments = table.pack(...)
    local _, raised = pcall(function()
      testing.handle(table.unpack(arguments, 1, arguments.n))
    end)
    assert.equal(message, raised)
  end
  assert_raises("spec/it_spec.lua:6: there is no consumer 'ordres' in config.lua, did you mean " ..
    "'orders'?", "ordres", {})
  assert_raises("spec/it_spec.lua:6: there is no consumer 'x' in config.lua; it has: orders " ..
    "broken asking", "x", {})
  assert_raises("spec/it_spec.lua:6: a record is a table such as {type = ..., value = ...}, " ..
    "got nil", "orders")
  assert_raises("spec/it_spec.lua:6: a record has no field 'headrs', did you mean 'headers'?",
    "orders", { headrs = {} })
  assert_raises("spec/it_spec.lua:6: key must be a string or an integer, got table", "orders",
    { key = {} })
  for field, what in pairs({ topic = "a string or an integer", partition = "an integer",
    offset = "an integer", timestamp = "an integer", attempt = "an integer" }) do
    assert.has_error(function() testing.handle("orders", { [field] = 1.5 }) end,
      ("%s must be %s, got %s"):format(field, what, field == "topic" and "number" or "1.5"))
  end
  for _, headers in ipairs({ 5, { "x" }, { {} }, { { "x" } }, { x = {} } }) do
    assert.is_false(pcall(testing.handle, "orders", { headers = headers }))
  end
  assert.matches("config.lua:7: consumers.broken.handlers.Paid: module 'handlers.broken' [^\n]*$",
    select(2, pcall(testing.handle, "broken", { type = "Paid" })))
  assert.matches("^none.lua: cannot be read",
    select(2, pcall(testing.open, { config = "none.lua" })))
  assert.equal("open has no option 'script'; it has config and scripts",
    select(2, pcall(testing.open, { script = "x" })))
end)
]])
  end)
end)

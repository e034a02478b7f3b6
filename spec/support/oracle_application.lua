-- The application of an oracle: a ledger that all its processes append to, and handlers that do
-- what their events ask for.

local application = require("spec.support.application")
local hostile = require("spec.support.hostile")

local M = {}

local LEDGER = [[
local lagoon = require("lagoon")

local pid = io.open("/proc/self/stat"):read("n")
local file = assert(io.open(%q, "a"))
file:setvbuf("line")

local M = {}

local function write(mark, event, context)
  assert(file:write(("%%s %%d %%d %%d %%d %%d %%d %%d %%d %%s\n"):format(mark, pid, context.worker,
    context.generation, context.partition, context.offset, lagoon.now(), context.timestamp,
    event.n or 0, context.key or "-")))
end

function M.begin(event, context)
  write("B", event, context)
end

function M.finish(event, context)
  write("E", event, context)
end

function M.fail(event, context)
  write("F", event, context)
end

function M.give_up(event, context)
  write("G", event, context)
end

return M
]]

-- What handlers do. sleep_ms yields the worker, block_ms keeps it, random_ms is one of both up to
-- that long. wait_gate yields and block_gate keeps it until the spec opens the gate. publish writes
-- that many records. block_once_ms keeps the worker in C, the first time that any process has the
-- record. fail_times of its tries fail; with is_last there is no other after them. Every try fails
-- while the service that it needs is down, which is when there is a gate of that name. A try that
-- fails and is no earlier than last_attempt is one after which the record may be given up. hostile
-- is a kind of spec/support/hostile.lua, whose handler has one try.
local WORK = [[
local hostile = require("hostile")
local lagoon = require("lagoon")
local ledger = require("ledger")
local uv = require("luv")

local out = lagoon.producer("out")

local function pass_gate(name, wait)
  local file
  repeat
    wait()
    file = io.open(%q .. name)
  until file
  file:close()
end

local function wait()
  lagoon.sleep(0.005)
end

local function block()
  uv.sleep(5)
end

local function is_there(name)
  local file = io.open(%q .. name)
  return file ~= nil and file:close()
end

local function block_once(event, context)
  local mark = assert(io.open(%q .. "begun", "a+"))
  local name = context.partition .. "@" .. context.offset .. "\n"
  if not (mark:read("a")):find(name, 1, true) then
    mark:write(name)
    mark:close()
    uv.sleep(event.block_once_ms)
  end
end

local function work(event, context)
  if event.block_once_ms then
    block_once(event, context)
  end
  if event.sleep_ms then
    lagoon.sleep(event.sleep_ms / 1000)
  end
  if event.block_ms then
    uv.sleep(event.block_ms)
  end
  if event.random_ms then
    local delay_ms = math.random(0, event.random_ms)
    if math.random(10) == 1 then
      uv.sleep(delay_ms)
    else
      lagoon.sleep(delay_ms / 1000)
    end
  end
  if event.wait_gate then
    pass_gate(event.wait_gate, wait)
  end
  if event.block_gate then
    pass_gate(event.block_gate, block)
  end
  for i = 1, event.publish or 0 do
    out:publish("Done", { order_id = event.order_id, n = event.n, i = i },
      { key = event.order_id })
  end
end

return function(event, context)
  ledger.begin(event, context)
  if event.hostile then
    ledger.give_up(event, context)
    -- Each fails in a place and for a reason of its own, so that the log folds none of them.
    local place = "hostile-" .. context.offset
    load([=[local play, event, place = ...
      local _, reason = pcall(play, event)
      error((reason or "it came back") .. " in " .. place, 0)
    ]=], "=" .. place)(hostile[event.hostile], event, place)
  end
  work(event, context)
  local fails = context.attempt <= (event.fail_times or 0)
    or event.needs and is_there(event.needs)
  if fails and context.attempt >= (event.last_attempt or math.huge) then
    ledger.give_up(event, context)
    error("as asked, and no other try is needed")
  end
  if fails and not (event.is_last and context.attempt == event.fail_times) then
    ledger.fail(event, context)
    error("as asked")
  end
  ledger.finish(event, context)
  if fails then
    error("as asked, for good")
  end
end
]]

local function config_of(oracle, options)
  local config = {
    producers = {
      orders = { topic = oracle.topic, key_field = "order_id" },
      out = { topic = oracle.out_topic or oracle.topic, properties = options.out_properties },
    },
    consumers = {
      orders = {
        topic = oracle.topic,
        group = oracle.group,
        workers = 4,
        handlers = { OrderCreated = "work", OrderPaid = "work", OrderShipped = "work" },
      },
    },
  }
  for name, value in pairs(options.consumer or {}) do
    config.consumers.orders[name] = value
  end
  for name, producer in pairs(options.producers or {}) do
    config.producers[name] = producer
  end
  if options.cluster then
    config.cluster = { brokers = oracle.brokers, properties = options.cluster.properties }
  end
  for name, value in pairs(options.config or {}) do
    config[name] = value
  end
  return config
end

---@param oracle spec.Oracle its brokers, group and topics
---@param options table as in oracle.new
---@return spec.Application app
---@return string ledger path
function M.new(oracle, options)
  local app = application.new(oracle.member_brokers, config_of(oracle, options))
  local ledger = app.folder .. "/ledger"
  app:script("ledger", LEDGER:format(ledger))
  app:script("hostile", hostile.source())
  local gates = app.folder .. "/gates/"
  app:script("work", WORK:format(gates, gates, gates))
  return app, ledger
end

return M

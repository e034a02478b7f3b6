-- Events over HTTP by producers of which a part is Lua, in a process that runs no handler.

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local json = require("cjson")
local sanitizer = require("spec.support.sanitizer")
local wait = require("spec.support.wait")

local SCRIPTS = {
  stamp = [[
    return function(event, context, next)
      if event.refuse then error("no such order", 0) end
      if event.bug then error("a mistake") end
      if event.say then return nil, "not today" end
      if event.leave then return end
      if event.spin then while true do end end
      if event.wait then require("lagoon").sleep(event.wait) end
      if event.audit then
        require("lagoon").producer("audit"):publish("Audited", { id = event.id })
      end
      event.stamp = "first"
      context.headers = context.headers or {}
      context.headers.stamped = "yes"
      return next(event, context)
    end
  ]],
  codec = [[
    return {
      encode = function(event, context) return context.type .. ":" .. event.id end,
      decode = function(text) return text end,
    }
  ]],
  upper = "return function(event, context, next) return next(event:upper(), context) end",
}

describe("an event over HTTP whose producer is partly Lua", function()
  local broker, app, run, url, topic, audits

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("http-lua", 1)
    audits = broker:new_topic("http-audit", 1)
    app = application.new(broker.brokers, {
      producers = {
        stamped = { topic = topic, key_field = "id", key_missing = "error",
          headers = { source = "web" }, middlewares = { "stamp" } },
        coded = { topic = topic, codec = "codec" },
        bytes = { topic = topic, codec = "raw", middlewares = { "upper" } },
        audit = { topic = audits },
      },
    }, SCRIPTS)
    run = app:start({ "run", "--only", "producers", "--listen", "127.0.0.1:0" })
    url = admin.url_of(run)
    run:wait_log("^producer stamped is ready")
  end)

  teardown(function()
    assert.equal(0, run:stop())
  end)

  local function publish(path, event, status)
    local body = type(event) == "table" and json.encode(event) or event
    return admin.json(url, "POST", "/v1/producers/" .. path, { body = body }, status)
  end

  -- The record where the answer says that Kafka has it.
  local function record_of(place)
    assert.equal(topic, place.topic)
    return broker:consume(topic, { count = place.offset + 1 })[place.offset + 1]
  end

  it("goes through middlewares and codec as in a script", function()
    local record = record_of(publish("stamped/Created?header=Trace=4f", { id = 7 }))
    assert.same({ "7", { id = 7, stamp = "first" } }, { record.key, json.decode(record.value) })
    assert.same({ "Message-Type", "Created" }, record.headers[1])
    local headers = {}
    for _, header in ipairs(record.headers) do
      headers[header[1]] = header[2]
    end
    assert.same({ ["Message-Type"] = "Created", Trace = "4f", stamped = "yes", source = "web" },
      headers)
    record = record_of(publish("coded/Paid?key=k", { id = "x" }))
    assert.same({ "k", "Paid:x" }, { record.key, record.value })
    assert.equal("AB\0C", record_of(publish("bytes/Any", "ab\0c")).value)
  end)

  it("is answered with its own place, whatever else a middleware publishes", function()
    local place = publish("stamped/Created", { id = "audited", audit = true })
    assert.equal("audited", record_of(place).key)
    assert.equal('{"id":"audited"}', broker:consume(audits, { count = 1 })[1].value)
  end)

  it("is refused with the sentence of who refuses it", function()
    assert.same({ error = "no such order" }, publish("stamped/A", { id = 1, refuse = true }, 400))
    assert.matches("^scripts/stamp.lua:3: a mistake$",
      publish("stamped/A", { id = 1, bug = true }, 400).error)
    assert.same({ error = "not today" }, publish("stamped/A", { id = 1, say = true }, 400))
    assert.same({ error = "a middleware of producer 'stamped' has left the event out" },
      publish("stamped/A", { id = 1, leave = true }, 409))
    assert.matches("^the event is no JSON: ", publish("stamped/A", "{", 400).error)
    assert.equal("publish: the event has no 'id', which is the key of producer 'stamped'",
      publish("stamped/A", {}, 400).error)
  end)

  it("holds up nobody while it waits", function()
    local slow = admin.connect(url)
    local body = json.encode({ id = "slow", wait = 60 })
    slow:write(("POST /v1/producers/stamped/A HTTP/1.1\r\nHost: localhost\r\n"
      .. "Content-Length: %d\r\n\r\n%s"):format(#body, body))
    for _ = 1, 20 do
      publish("stamped/A", { id = "fast" })
    end
    assert.equal("", slow.received)
    slow:close()
  end)

  it("is ended by a limit where it runs, while another one goes on that waits", function()
    if sanitizer.holds_signals then
      pending("ThreadSanitizer keeps signals back")
      return
    end
    assert.matches("^scripts/stamp.lua:6: ended: it used 1.0 s of CPU time [^\n]*$",
      publish("stamped/A", { id = 1, spin = true }, 503).error)
    assert.equal(1, #run:log("^producer stamped: an event A over HTTP is not published: "
      .. "scripts/stamp.lua:6: ended: .*stack traceback"))
    assert.equal("after", record_of(publish("stamped/A", { id = "after" })).key)
  end)

  it("goes by the scripts that serve", function()
    app:script("stamp", (SCRIPTS.stamp:gsub('"first"', '"second"')))
    assert.equal(0, app:run({ "reload" }).process.code)
    local place = wait.till("the new scripts", 10000, function()
      local last = publish("stamped/A", { id = "new" })
      return json.decode(record_of(last).value).stamp == "second" and last
    end)
    assert.is_true(place.offset > 0)
  end)
end)

-- `lagoon exec`: a script of the user's with the config's producers.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")

describe("lagoon exec", function()
  local broker, topic, app

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("commanded", 1)
    app = application.new(broker.brokers, { producers = { out = { topic = topic,
      key_field = "id", properties = { ["linger.ms"] = 100 } } } })
  end)

  local function command(source)
    app:script("commands/it", 'local lagoon = require("lagoon")\n' ..
      'local out = lagoon.producer("out")\n' .. source)
  end

  ---@return spec.Process
  local function exec(source, options, ...)
    command(source)
    return app:run({ "exec", "it", ... }, options).process
  end

  local function keys()
    local list = {}
    for i, record in ipairs(broker:consume(topic)) do
      list[i] = record.key
    end
    return list
  end

  it("ends with 0 when all that the script published is acknowledged, awaited or not", function()
    local process = exec([[
for i = 1, 500 do out:publish("Sent", { id = i }) end
print(out:publish("Sent", { id = "last" }):await())
lagoon.sleep("10ms")
print("bye")
]])
    assert.equal(0, process.code, process:stderr())
    assert.equal("0\t500\nbye\n", process:stdout())
    assert.equal(501, broker:end_offsets(topic, 1)[0])
  end)

  it("gives the script its arguments as they stand, also those that look like flags", function()
    local process = exec([[print(..., #arg, arg[0], arg[2], select("#", ...))]], nil, "--timeout",
      "a b", "--", "-h", "")
    assert.equal(0, process.code, process:stderr())
    assert.equal("--timeout\t5\tscripts/commands/it.lua\ta b\t5\n", process:stdout())
    app:script("commands/none", "print(select('#', ...), #arg)")
    assert.equal("0\t0\n", app:run({ "exec", "--timeout", "9s", "none" }).process:stdout())
  end)

  it("leaves standard input and output to the script and puts the log on standard error", function()
    local process = exec([[
io.write(io.read("n", "l") + 1, "\n")
for line in io.lines() do out:publish("Sent", { id = line }) end
lagoon.log.warn("from the log")
print(nil, 1.5)
]], { input = "41\na\nb\nc" })
    assert.equal(0, process.code, process:stderr())
    assert.equal("42\nnil\t1.5\n", process:stdout())
    assert.same({ "a", "b", "c" }, keys())
    assert.matches("from the log", process:stderr(), 1, true)
  end)

  it("delivers while the script blocks in a read", function()
    command([[
local delivery = out:publish("Sent", { id = "before" })
print("reading")
io.read()
print(delivery:await())
]])
    local run = app:start({ "exec", "it" }, { input = true })
    run.process:wait_for("^reading$")
    assert.equal("before", broker:consume(topic, { count = 1 })[1].key)
    run.process:write("\n")
    run.process:wait_for("^0\t0$")
    assert.equal(0, (run.process:wait_exit()))
  end)

  it("says an error with its traceback and ends with 7, what was published all the same", function()
    local process = exec([[
out:publish("Sent", { id = "a" })
local function deep() error("no such order") end
deep()
]])
    assert.equal(7, process.code)
    assert.matches("^lagoon exec: scripts/commands/it%.lua:4: no such order\nstack traceback:\n" ..
      ".-it%.lua:4: in local 'deep'\n", process:stderr():match("lagoon exec: .*"))
    assert.same({ "a" }, keys())
  end)

  it("takes nil or false with a message for a failure, any other value for none", function()
    local process = exec([[return nil, "three orders are missing"]])
    assert.equal(7, process.code)
    assert.matches("lagoon exec: three orders are missing\n", process:stderr(), 1, true)
    assert.equal(0, exec("return 3").code)
    assert.equal(0, exec("return false").code)
  end)

  it("names what Kafka refused for good, and ends with 5", function()
    -- The partitions of a topic that is new are not known yet when it is published to, most times.
    local other = broker:new_topic("other", 1)
    local process = exec(([[
out:publish("Sent", { id = "a" })
local ok, delivery = pcall(out.publish, out, "Sent", { id = "b" },
  { topic = %q, partition = 700 })
print(pcall(ok and delivery.await or error, delivery))
]]):format(other))
    local reason = ('topic "%s" has no partition 700'):format(other)
    if process:stdout():find("publish: " .. reason, 1, true) then
      return pending("the partitions were known in time for the call to raise")
    end
    assert.equal(5, process.code)
    assert.matches("delivery refused: " .. reason, process:stdout(), 1, true)
    local said = process:stderr():gsub('\\"', '"')
    assert.matches("producer out: a record is refused: " .. reason .. '","key":"b"}', said, 1, true)
    assert.matches("lagoon exec: 1 of 2 published records were not acknowledged\n", said, 1, true)
    assert.equal(1, broker:end_offsets(topic, 1)[0])
  end)

  it("takes a path, a module below scripts/commands, and a first line for the shell", function()
    app:script("commands/deep/down", "print(...)")
    app:script("tool", "#!/usr/bin/env lagoon\nprint(debug.getinfo(1, 'l').currentline)")
    for _, name in ipairs({ "deep.down", "deep/down", "deep/down.lua",
      app.folder .. "/scripts/commands/deep/down.lua" }) do
      assert.equal("x\n", app:run({ "exec", name, "x" }).process:stdout())
    end
    assert.equal("2\n", app:run({ "exec", "scripts/tool.lua" }).process:stdout())
  end)

  it("says where it looked for a script that is not there, and what may be meant", function()
    app:script("commands/create_orders", "")
    for name, behind in pairs({ create_order = ", did you mean 'create_orders'?",
      zzzzzzz = "; there are: create_orders" }) do
      local process = app:run({ "exec", name }).process
      assert.equal(2, process.code)
      assert.equal(("lagoon exec: there is no script '%s': no such file, and no " ..
        "scripts/commands/%s.lua%s\n"):format(name, name, behind), process:stderr())
    end
  end)

  it("names the line of a syntax error before any broker is asked", function()
    local away = application.new("127.0.0.1:1", { producers = { out = { topic = "t" } } },
      { ["commands/it"] = "local a = 1\nlocal b = = 2\n" })
    local process = away:run({ "exec", "it" }).process
    assert.equal(3, process.code)
    assert.equal("scripts/commands/it.lua:2: unexpected symbol near '='\n", process:stderr())
  end)

  it("waits for no cluster on which there are only consumers", function()
    local two = application.new("", {
      clusters = { here = { brokers = broker.brokers }, away = { brokers = "127.0.0.1:1" } },
      producers = { out = { topic = topic, cluster = "here" } },
      consumers = { c = { topic = "t", group = "g", cluster = "away",
        handlers = { Sent = "handlers.none" } } },
    }, { ["commands/it"] = "print(require('lagoon').producer('out'):publish('Sent', 1):await())",
      ["handlers/none"] = "return print" })
    local process = two:run({ "exec", "--timeout", "5s", "it" }).process
    assert.equal(0, process.code, process:stderr())
    assert.equal("0\t0\n", process:stdout())
  end)

  it("gives up when no broker answers within --timeout", function()
    local away = application.new("127.0.0.1:1", { producers = { out = { topic = "t" } } },
      { ["commands/it"] = "print('never')" })
    local process = away:run({ "exec", "--timeout", "1s", "it" }).process
    assert.equal(4, process.code)
    assert.equal("", process:stdout())
  end)
end)

-- `lagoon broker`, as other programs meet it.

local kcat = require("spec.support.kcat")
local lagoon = require("spec.support.lagoon")
local port = require("spec.support.port")
local process = require("spec.support.process")
local run = require("spec.support.run")
local unit = require("unit")

---@return spec.Process broker, string address
local function start(...)
  local broker = lagoon.start({ "broker", ... }, { input = true })
  return broker, broker:wait_for("^listening on (127%.0%.0%.1:%d+)$")
end

describe("lagoon broker", function()
  it("takes records of other programs and gives them back byte for byte", function()
    local _, address = start("--port", "0", "--topic", "orders:3")
    kcat.produce(address, "orders", { { key = "k", value = "one" }, { key = "k", value = "t\0o" } },
      { partition = 2, headers = { { "trace", "t-1" } } })
    local records = kcat.consume(address, "orders")
    assert.equal(2, #records)
    for i, value in ipairs({ "one", "t\0o" }) do
      assert.same({ "k", value, 2, i - 1, { { "trace", "t-1" } } }, { records[i].key,
        records[i].value, records[i].partition, records[i].offset, records[i].headers })
    end
  end)

  it("says that it keeps nothing, and how much", function()
    local broker = start("--port", "0")
    local line = run.new(broker):wait_log("^embedded broker: in memory only")
    assert.matches("5 MiB a partition, then it drops the oldest", line.message)
  end)

  it("has the topics of its command line", function()
    local _, address = start("--port", "0", "--topic", "one:1", "--topic=seven.of_them-:7")
    local listed = process.run({ "kcat", "-L", "-b", address }):stdout()
    assert.matches('topic "one" with 1 partitions', listed, 1, true)
    assert.matches('topic "seven.of_them-" with 7 partitions', listed, 1, true)
    assert.matches(" 2 topics:", listed, 1, true)
  end)

  it("creates topics line by line of standard input, and answers each", function()
    local broker, address = start("--port", "0")
    broker:write("topic late:5\n\ntopic late:2\ntopic no name:1\ntopic x:0\ntopic x\nquit\ntop")
    broker:wait_for("^created late:5$")
    broker:wait_for("^failed late:2: Broker: Topic already exists$")
    broker:wait_for("^failed no name:1: a topic is given as NAME:PARTITIONS, ")
    broker:wait_for("^failed x:0: a topic has from 1 to 10000 partitions$")
    broker:wait_for("^failed x: a topic is given as NAME:PARTITIONS, ")
    broker:wait_for("^failed quit: the only command is `topic NAME:PARTITIONS`$")
    broker:write("ic " .. ("x"):rep(600) .. ":1\ntopic after:1\n")
    broker:wait_for("^failed: a line has at most 511 bytes$")
    broker:wait_for("^created after:1$")
    assert.equal(5, unit.kafka.partitions(address, "late"))
  end)

  it("goes on when its standard input ends, and ends with SIGTERM or SIGINT", function()
    for _, signal in ipairs({ "sigterm", "sigint" }) do
      local broker, address = start("--port", "0")
      broker:close_input()
      kcat.produce(address, "t", { { key = "k", value = "v" } })
      assert.equal(1, #kcat.consume(address, "t"))
      assert.is_true(broker:is_running())
      broker:signal(signal)
      assert.equal(0, (broker:wait_exit()))
    end
  end)

  it("creates a topic that it is asked for, and says so", function()
    local broker, address = start("--port", "0")
    kcat.produce(address, "surprise", { { key = "k", value = "v" } })
    run.new(broker):wait_log('^embedded broker: topic "surprise" created with 4 partitions$')
  end)

  it("listens where it is told, and says when that port is taken", function()
    local free = tostring(port.free())
    local _, address = start("--port", free)
    assert.equal("127.0.0.1:" .. free, address)
    assert.equal(1, unit.kafka.brokers(address))
    local second = lagoon.run({ "broker", "--port=" .. free })
    assert.equal(1, second.code)
    assert.equal("", second:stdout())
    assert.equal(("port %s of 127.0.0.1 is taken; choose another with --port, or --port 0")
      :format(free), run.new(second):log()[1].message)
    assert.equal(1, unit.kafka.brokers(address))
  end)

  it("refuses a topic that cannot be, and a port that cannot be", function()
    local refused = lagoon.run({ "broker", "--port", "0", "--topic", "orders" })
    assert.equal(2, refused.code)
    assert.matches("--topic orders: a topic is given as NAME:PARTITIONS", refused:stderr(), 1, true)
    for _, bad in ipairs({ "65536", "-1", "kafka", "" }) do
      refused = lagoon.run({ "broker", "--port", bad })
      assert.equal(2, refused.code)
      assert.matches(("--port takes a number from 0 to 65535, got '%s'"):format(bad),
        refused:stderr(), 1, true)
    end
  end)
end)

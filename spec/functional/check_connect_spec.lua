-- lagoon check --connect: what the brokers say to a config.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local lines = require("spec.support.lines")
local port = require("spec.support.port")

local SCRIPT = { ["handlers/a"] = "return function() end" }

-- The clusters stand on line 2, the rest from line 3 on.
local function check(addresses, rest, ...)
  local app = application.new("", ("return {\n  clusters = { east = { brokers = %q }, west = "
    .. "{ brokers = %q } },\n%s\n}\n"):format(addresses[1], addresses[2] or addresses[1], rest),
    SCRIPT)
  return app:run({ "check", "--connect", ... }).process
end

describe("lagoon check --connect", function()
  it("agrees with brokers that have what is declared, and says what would be created", function()
    local broker = brokers.start_embedded()
    broker:create_topic("orders", 3)
    local one = check({ broker.brokers }, [[
      topics = {
        orders = { partitions = 3, cluster = "east" },
        absent = { partitions = 2, cluster = "west" },
      },
      producers = { p = { topic = "orders" } },
      consumers = { c = { topics = { "orders", "^nothing" }, group = "g",
        handlers = { A = "handlers.a" } } },]])
    assert.equal(0, one.code, one:stderr())
    local said = lines(one:stdout())
    assert.matches("^config%.lua: good: 2 topics, 1 producer, 1 consumer, %d script files$",
      table.remove(said, 1))
    assert.same({
      'config.lua:8: consumers.c: cluster east: no topic matches "^nothing" now',
      "config.lua:5: topics.absent: cluster west: does not exist yet; lagoon creates it when it "
        .. "starts",
      "config.lua: the brokers agree",
    }, said)
    assert.equal(0, broker.process:count('\\"absent\\" created'))
  end)

  it("says what is other than declared and what nobody creates, with exit code 8", function()
    local broker = brokers.start_embedded()
    broker:create_topic("orders", 3)
    local one = check({ broker.brokers }, [[
      topics = {
        orders = { partitions = 5, replicas = 2, cluster = "east" },
        theirs = { create = false, cluster = "east" },
      },
      producers = { p = { topic = "undeclared", cluster = "east" } },
      consumers = { c = { topic = "unknown", group = "g", cluster = "east",
        handlers = { A = "handlers.a" } } },]])
    assert.equal(8, one.code)
    assert.same({
      "config.lua:4: topics.orders: cluster east: has 3 partitions, declared are 5; lagoon leaves "
        .. "it as it is",
      "config.lua:4: topics.orders: cluster east: has 1 replica, declared are 2; lagoon leaves it "
        .. "as it is",
      "config.lua:5: topics.theirs: cluster east: does not exist, and with `create = false` lagoon "
        .. "only waits for it",
      'config.lua:7: producers.p: cluster east: topic "undeclared" is neither there nor declared '
        .. "in `topics`, so lagoon does not create it",
      'config.lua:8: consumers.c: cluster east: topic "unknown" is neither there nor declared in '
        .. "`topics`, so lagoon does not create it",
    }, lines(one:stderr()))
  end)

  it("gives up on a cluster that is away, and says what the other has, with exit code 4", function()
    local broker = brokers.start_embedded()
    local away = "127.0.0.1:" .. port.free()
    local one = check({ broker.brokers, away },
      'topics = { theirs = { create = false, cluster = "east" } },', "--timeout", "1s")
    assert.equal(4, one.code)
    assert.same({
      "config.lua:3: topics.theirs: cluster east: does not exist, and with `create = false` lagoon "
        .. "only waits for it",
      ("cluster west: Kafka at %s cannot be asked: no broker answers at %s: connection refused")
        :format(away, away),
    }, lines(one:stderr()))
  end)
end)

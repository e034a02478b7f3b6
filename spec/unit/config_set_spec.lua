local config_file = require("spec.support.config_file")

local function good(...)
  return config_file.good(config_file.GOOD, { sets = { ... } })
end

local function problems(...)
  return config_file.problems(config_file.GOOD, { sets = { ... } })
end

describe("config --set", function()
  it("puts a value in place of the config's", function()
    local loaded = good("log.level=debug", "consumers.c.buffer_size=3",
      'cluster.brokers={"a:1", "b:2"}', "topics.orders.create=false",
      "consumers.c.workers={ min = 2, max = 2 }", "stop_timeout=5m")
    assert.equal("debug", loaded.log_level)
    assert.equal(3, loaded.consumers[1].buffer_size)
    assert.equal("a:1,b:2", loaded.clusters[1].brokers)
    assert.is_false(loaded.topics[1].create)
    assert.equal(2, loaded.consumers[1].workers_min)
    assert.equal(300000, loaded.stop_timeout_ms)
  end)

  it("adds what is not there, under any name, and takes away", function()
    local loaded = good('topics["a.b"].partitions=7', "topics['c'].replicas=1", "topics.orders=nil")
    assert.same({ "a.b", 7 }, { loaded.topics[1].name, loaded.topics[1].partitions })
    assert.equal("--set topics[\"a.b\"].partitions", loaded.topics[1].place)
    assert.same({ "c", 1 }, { loaded.topics[2].name, loaded.topics[2].replicas })
    assert.equal(2, #loaded.topics)
  end)

  it("takes the last of several, and text where text is wanted", function()
    local loaded = good("consumers.c.group=a", "consumers.c.group=12",
      "cluster.properties={[\"client.rack\"]=\"true\"}")
    assert.equal("12", loaded.consumers[1].group)
    assert.equal("", good("consumers.c.handlers.A=x", "log.format=text").notices[1] or "")
    assert.equal("quoted", good('consumers.c.group="quoted"').consumers[1].group)
    assert.equal("it's", good("consumers.c.type_header=it's").consumers[1].type_header)
    assert.equal("a=b", good("consumers.c.type_header=a=b").consumers[1].type_header)
  end)

  it("changes nothing else that shares the table", function()
    local source = [[
local shared = { topic = "t", handlers = { A = "a" }, group = "g" }
return { cluster = { brokers = "a:1" }, consumers = {
  c = shared, d = { topic = "t", handlers = shared.handlers, group = "h" } } }
]]
    local loaded = config_file.good(source, { sets = { "consumers.c.handlers.A=b" } })
    assert.equal("b", loaded.consumers[1].handlers[1].module)
    assert.equal("a", loaded.consumers[2].handlers[1].module)
  end)

  it("is checked like the file, its problems named by the path", function()
    for set, expected in pairs({
      ["log.levle=debug"] = "--set log.levle: unknown key, did you mean 'level'?",
      ["lgo.level=debug"] = "--set lgo.level: lgo: unknown key, did you mean 'log'?",
      ["topics.orders.partitions=0"] =
        "--set topics.orders.partitions: must be an integer from 1 to 100000, got 0",
      ["stop_timeout=soon"] = "--set stop_timeout: " ..
        'must be a duration such as "250ms", "30s" or "5m", got "soon"',
      ["cluster.brokers=kafka"] = "--set cluster.brokers: " ..
        "must be host:port, got \"kafka\", did you mean 'kafka:9092'?",
      ["consumers.c={}"] = { "--set consumers.c: consumers.c.group: is missing",
        "--set consumers.c: needs topic or topics",
        "--set consumers.c: needs handlers or handler" },
      ["consumers.c.topics[1]=b"] =
        "--set consumers.c.topics[1]: consumers.c.topics: topic is given too, keep one of them",
      ["consumers.c.group.x=1"] =
        "--set consumers.c.group.x: consumers.c.group is a string, which has no keys",
      ["cluster=nil"] = "config.lua:1: cluster: is missing",
      ["cluster={"] = "--set cluster: is no table that Lua can read: unexpected symbol near <eof>",
      ["cluster={os.exit()}"] = "--set cluster: is no table that Lua can read: " ..
        "attempt to index a nil value (global 'os')",
    }) do
      assert.same(type(expected) == "table" and expected or { expected }, problems(set))
    end
  end)

  it("has to be PATH=VALUE", function()
    for set, shown in pairs({
      ["log"] = "log", [""] = "", ["=1"] = "", ["log.=1"] = "log.", ["a b=1"] = "a",
      ["a[b=1"] = "a", ["a[1]b=2"] = "a", ["password:hunter2"] = "password",
    }) do
      assert.same({ ("--set %s: must be PATH=VALUE, such as log.level=debug"):format(shown) },
        problems(set))
    end
  end)

  it("shows no password", function()
    for _, set in ipairs({ "cluster.sasl.password=hunter2", "cluster.sasl=hunter2",
      'cluster.sasl={password="hunter2",hunter2=1}', "cluster.sasl.password={hunter2=hunter2}",
      "cluster.tls.key_password=hunter2", "cluster.sasl={password='hunter2" }) do
      for _, problem in ipairs(problems(set, "cluster.sasl.hunter2=hunter2")) do
        assert.is_nil(problem:find("[^.]hunter2"), problem)
      end
    end
    assert.same({ "12345", "x" }, good("cluster.tls=true",
      'cluster.sasl={mechanism="PLAIN",username="u",password="x"}',
      "cluster.sasl.password=12345").secrets)
  end)
end)

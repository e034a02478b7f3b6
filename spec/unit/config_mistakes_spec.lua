-- Whole configs with the mistakes that people make, and all that is said of each.

local config_file = require("spec.support.config_file")

-- The second line is the mistake's, unless there are several.
local function config(text)
  return 'return { cluster = { brokers = "a:1" },\n' .. text .. "\n}"
end

local function consumer(text)
  return config('consumers = { c = { group = "g", topic = "t", handlers = { A = "a" }, ' ..
    text .. " } },")
end

local function cluster(text)
  return 'return { cluster = {\nbrokers = "a:1", ' .. text .. "\n} }"
end

local function assert_mistakes(cases)
  for _, case in ipairs(cases) do
    assert.same({ table.unpack(case, 2) }, config_file.problems(case[1]))
  end
end

describe("a config with a mistake", function()
  it("of Lua is told where Lua gave up", function()
    assert_mistakes({
      { config('topics = { a = {} }\n producers = { p = { topic = "a" } },'),
        "config.lua:3: '}' expected (to close '{' at line 1) near 'producers'" },
      { config("topics = { order-events = {} },"),
        "config.lua:2: '}' expected near '='" },
      { config("topics = { orders: {} },"), "config.lua:2: <name> expected near '{'" },
      { config("topics = { a = { partitions => 3 } },"),
        "config.lua:2: unexpected symbol near '>'" },
      { config('stop_timeout = "25s,'), "config.lua:2: unfinished string near '\"25s,'" },
      { "cluster = { brokers = 'a:1' }",
        "config.lua:1: must not set the global 'cluster', write local in front" },
      { "local config = { cluster = { brokers = 'a:1' } }",
        "config.lua:1: must return a table, got nil" },
      { "return function() return {} end", "config.lua:1: must return a table, got a function" },
      { config("stop_timeout = 25s,"), "config.lua:2: malformed number near '25s'" },
      { config("topics = [ \"a\" ],"), "config.lua:2: unexpected symbol near '['" },
      { "// the config\nreturn {}", "config.lua:1: unexpected symbol near '//'" },
      { "{ \"cluster\": {} }", "config.lua:1: unexpected symbol near '{'" },
      { "", "config.lua:1: must return a table, got nil" },
    })
  end)

  it("of quotes is told what is missing", function()
    assert_mistakes({
      { config("log = { level = debug },"), "config.lua:2: unknown name 'debug'" },
      { config("topics = { a = { create = no } },"), "config.lua:2: unknown name 'no'" },
      { config("stop_timeout = 5 * s,"), "config.lua:2: unknown name 's'" },
      { config("log = { level = os.getenv('LEVEL') },"),
        "config.lua:2: unknown name 'os', did you mean 'env'?" },
      { config("log = { level = getenv('LEVEL') },"),
        "config.lua:2: unknown name 'getenv'" },
      { config("topics = require('topics'),"),
        "config.lua:2: unknown name 'require', did you mean 'include'?" },
      { config("topics = dofile('topics.lua'),"),
        "config.lua:2: unknown name 'dofile', did you mean 'include'?" },
    })
  end)

  it("of the environment is told which variable, at its line", function()
    config_file.setenv("LAGOON_SPEC_A", nil)
    config_file.setenv("LAGOON_SPEC_A_FILE", nil)
    config_file.setenv("LAGOON_SPEC_B", "many")
    assert_mistakes({
      { config('stop_timeout = env("LAGOON_SPEC_A"),\n log = { level = secret("LAGOON_SPEC_A") },'),
        'config.lua:2: env("LAGOON_SPEC_A"): the variable is not set',
        'config.lua:3: secret("LAGOON_SPEC_A"): ' ..
          "neither LAGOON_SPEC_A nor LAGOON_SPEC_A_FILE is set" },
      { consumer('buffer_size = env("LAGOON_SPEC_B", 5)'),
        'config.lua:2: env("LAGOON_SPEC_B"): must be an integer, got "many"' },
      { consumer('buffer_size = env("LAGOON_SPEC_B")'),
        'config.lua:2: consumers.c.buffer_size: must be an integer from 1 to 10000, got "many"' },
      { config("topics = { a = { partitions = tonumber(env('LAGOON_SPEC_B')) + 1 } },"),
        "config.lua:2: attempt to perform arithmetic on a nil value" },
    })
  end)

  it("of another tool's habit is told the word here", function()
    assert_mistakes({
      { cluster('bootstrap_servers = "a:1"'),
        "config.lua:2: cluster.bootstrap_servers: unknown key, did you mean 'brokers'?" },
      { cluster('ssl = true'), "config.lua:2: cluster.ssl: unknown key, did you mean 'tls'?" },
      { cluster('tls = { ca = "ca.pem" }'), "config.lua:2: cluster.tls.ca: " ..
        "unknown key, did you mean 'ca_file'?" },
      { cluster('tls = { cafile = "ca.pem" }'),
        "config.lua:2: cluster.tls.cafile: unknown key, did you mean 'ca_file'?" },
      { consumer("num_workers = 4"),
        "config.lua:2: consumers.c.num_workers: unknown key, did you mean 'workers'?" },
      { consumer("handlerz = 5"), "config.lua:2: consumers.c.handlerz: " ..
        "unknown key, did you mean 'handlers'?" },
      { consumer('offset_reset = "smallest"'), "config.lua:2: consumers.c.offset_reset: " ..
        'must be "earliest", "latest" or "none", got "smallest"' },
      { consumer('distribution = "bykey"'), "config.lua:2: consumers.c.distribution: " ..
        'must be "key", "partition" or "free_worker", got "bykey"' },
      { consumer("commit_interval = 5000"), "config.lua:2: consumers.c.commit_interval: " ..
        "must be a duration from 10ms to 1h, got 5000" },
      { consumer('max_record = "1 MB"'), "config.lua:2: consumers.c.max_record: must be a size " ..
        "such as \"64MiB\", or a number of bytes, got \"1 MB\", did you mean '1MiB'?" },
      { config('topics = { "a", "b" },'),
        "config.lua:2: topics[1]: must have a name, such as orders = {...}",
        "config.lua:2: topics[2]: must have a name, such as orders = {...}" },
      { config('consumers = { { topic = "t" } },'), "config.lua:2: consumers[1]: " ..
        'must have a name, such as ["order-handler"] = {...}' },
    })
  end)

  it("of two keys that do not go together is told which two", function()
    assert_mistakes({
      { consumer("workers = { min = 8, max = 4 }"),
        "config.lua:2: consumers.c.workers.max: must be at least min, which is 8, got 4" },
      { consumer('topics = { "u" }'),
        "config.lua:2: consumers.c.topics: topic is given too, keep one of them" },
      { consumer('max_record = "65MiB"'), "config.lua:2: consumers.c.max_record: " ..
        'must be at most window.bytes, which is 67108864, got "65MiB"' },
      { consumer("topic = \"t2\""),
        "config.lua:2: consumers.c.topic: is written twice, first on line 2" },
      { consumer('on_error = { backoff = "1m" }'), "config.lua:2: consumers.c.on_error.backoff: " ..
        'must be at most max_backoff, which is 30000 ms, got "1m"' },
      { consumer('cluster = "east"'), "config.lua:2: consumers.c.cluster: " ..
        'must be a declared cluster, which is "default", got "east"' },
      { config('producers = { p = { topic = "t", key_missing = "error" } },'),
        "config.lua:2: producers.p.key_missing: needs key_field, which is what may be missing" },
      { config('producers = { p = { topic = "t", key_missing = "error", key_feild = "x" } },'),
        "config.lua:2: producers.p.key_feild: unknown key, did you mean 'key_field'?" },
      { cluster('sasl = { mechanism = "PLAIN", username = "u", password = "p" }'),
        "config.lua:2: cluster.sasl.mechanism: PLAIN sends the password in the clear, " ..
        "set tls of the cluster too or take SCRAM-SHA-512" },
    })
  end)

  it("which may be none gets a notice, a topic that looks like a declared one", function()
    local function notices(declared, topic)
      return config_file.good(config(
        ('topics = { ["%s"] = {} }, producers = { p = { topic = "%s" } },')
        :format(declared, topic))).notices
    end
    assert.same({ 'config.lua:2: producers.p: "ordres" is no declared topic, ' ..
      "did you mean 'orders'?" },
      notices("orders", "ordres"))
    for declared, topic in pairs({ orders = "oorders", payments = "payment",
      ["a.bcd"] = "a.bce" }) do
      assert.equal(1, #notices(declared, topic), topic)
    end
    assert.same({}, notices("orders", "orders"))
    for declared, topic in pairs({ ["orders-1"] = "orders-2", orders = "orders-v2", a = "b",
      payments = "orders", abc = "abd", ["shop.orders"] = "shop.payments" }) do
      assert.same({}, notices(declared, topic))
    end
  end)
end)

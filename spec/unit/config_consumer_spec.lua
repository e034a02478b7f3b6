local config = require("unit").config
local config_file = require("spec.support.config_file")

local good_but, problems = config_file.good_but, config_file.problems

local TOPIC_NAME = "must be a legal topic name, which is 1 to 249 letters, digits, '.', '_' and '-'"

-- The group stands on line 8 of the good config.
local function with(text)
  return good_but('group = "g",', 'group = "g", ' .. text)
end

-- Each key of the consumer with a wrong value, and what is said of it.
local function assert_refused(cases)
  for _, case in ipairs(cases) do
    assert.same({ "config.lua:8: consumers.c." .. case[2] }, problems(with(case[1] .. ",")))
  end
end

local function workers(text)
  local loaded = config_file.good(with("workers = " .. text .. ","))
  local consumer = loaded.consumers[1]
  return { consumer.workers_min, consumer.workers_max, consumer.lag_threshold, #loaded.notices }
end

describe("config of a consumer", function()
  it("needs a group and handlers, and says which key may have been meant", function()
    assert.same({ "config.lua:6: consumers.c.group: is missing" },
      problems(good_but('group = "g",', "")))
    assert.same({ "config.lua:6: consumers.c: needs handlers or handler" },
      problems(good_but('handlers = { A = "handlers.a" },', "")))
    assert.same({ "config.lua:8: consumers.c.gruop: unknown key, did you mean 'group'?" },
      problems(good_but('group = "g",', 'gruop = "g",')))
    assert.same({ "config.lua:9: consumers.c.handlers: must not be empty" },
      problems(good_but('{ A = "handlers.a" }', "{}")))
  end)

  it("needs a topic or topics, not both", function()
    assert.same({ "config.lua:6: consumers.c: needs topic or topics" },
      problems(good_but('topic = "orders",\n      group', "group")))
    assert.same({ "config.lua:8: consumers.c.topics: topic is given too, keep one of them" },
      problems(with('topics = { "a" },')))
    assert.same({ "config.lua:7: consumers.c.tpoic: unknown key, did you mean 'topic'?" },
      problems(good_but('topic = "orders",\n      group', 'tpoic = "orders",\n      group')))
  end)

  it("refuses topics that are no list of legal and distinct names", function()
    local function topics(text)
      return problems(good_but('topic = "orders",\n      group', "topics = " .. text .. ", group"))
    end
    local list = "config.lua:7: consumers.c.topics: must be a list of at least one, got "
    assert.same({ list .. '"a"' }, topics('"a"'))
    assert.same({ list .. "a table" }, topics("{}"))
    assert.same({ list .. "a table" }, topics('{ "a", b = "c" }'))
    assert.same({ 'config.lua:7: consumers.c.topics[2]: "a" is listed already' },
      topics('{ "a", "a" }'))
    assert.same({ "config.lua:7: consumers.c.topics[2]: " .. TOPIC_NAME
      .. '; a regular expression begins with "^", got "a.*"' }, topics('{ "a", "a.*" }'))
    assert.same({ "config.lua:7: consumers.c.topics[2]: must be a POSIX regular expression "
      .. '(Unmatched ( or \\(), got "^(a"' }, topics('{ "a", "^(a" }'))
    assert.same({ "config.lua:7: consumers.c.topics[1]: " .. TOPIC_NAME .. ", got false" },
      topics("{ false }"))
  end)

  it("refuses a value that is none of the words", function()
    assert_refused({
      { 'distribution = "keys"', 'distribution: must be "key", "partition" or "free_worker", ' ..
        "got \"keys\", did you mean 'key'?" },
      { 'distribution = "free-worker"', 'distribution: must be "key", "partition" or ' ..
        "\"free_worker\", got \"free-worker\", did you mean 'free_worker'?" },
      { 'offset_reset = "begin"',
        'offset_reset: must be "earliest", "latest" or "none", got "begin"' },
      { "offset_reset = 0", 'offset_reset: must be "earliest", "latest" or "none", got 0' },
    })
  end)

  it("refuses numbers, durations and sizes out of their range", function()
    assert_refused({
      { "buffer_size = 0", "buffer_size: must be an integer from 1 to 10000, got 0" },
      { "buffer_size = 10001", "buffer_size: must be an integer from 1 to 10000, got 10001" },
      { "max_ahead = 0", "max_ahead: must be an integer from 1 to 100000000, got 0" },
      { 'drain_timeout = "61m"', 'drain_timeout: must be a duration from 0s to 1h, got "61m"' },
      { "drain_timeout = -1",
        'drain_timeout: must be a duration such as "250ms", "30s" or "5m", got -1' },
      { 'drain_timeout = "5 s"',
        'drain_timeout: must be a duration such as "250ms", "30s" or "5m", got "5 s"' },
      { "drain_timeout = true",
        'drain_timeout: must be a duration such as "250ms", "30s" or "5m", got true' },
      { 'commit_interval = "9ms"',
        'commit_interval: must be a duration from 10ms to 1h, got "9ms"' },
      { 'max_record = "1023"', 'max_record: must be a size from 1KiB to 512MiB, got "1023"' },
      { 'max_record = "1MB"', 'max_record: must be a size such as "64MiB", or a number of ' ..
        "bytes, got \"1MB\", did you mean '1MiB'?" },
      { 'max_record = "much"',
        'max_record: must be a size such as "64MiB", or a number of bytes, got "much"' },
      { "window = { records = 0 }",
        "window.records: must be an integer from 1 to 10000000, got 0" },
      { "window = { bytes = 1 }", "window.bytes: must be a size from 64KiB to 1024GiB, got 1" },
      { "window = 100", "window: must be a table, got 100" },
    })
  end)

  it("refuses a window that one record could fill", function()
    assert_refused({
      { 'max_record = "128MiB"',
        'max_record: must be at most window.bytes, which is 67108864, got "128MiB"' },
      { 'window = { bytes = "64KiB" }',
        'window.bytes: must be at least max_record, which is 1048576, got "64KiB"' },
    })
  end)

  it("refuses workers out of their range or order", function()
    assert_refused({
      { "workers = 0", "workers: must be an integer from 1 to 1000, got 0" },
      { "workers = 1001", "workers: must be an integer from 1 to 1000, got 1001" },
      { 'workers = "4"', 'workers: must be a number or a table, got "4"' },
      { "workers = { min = 0 }", "workers.min: must be an integer from 1 to 1000, got 0" },
      { "workers = { max = 1001 }", "workers.max: must be an integer from 1 to 1000, got 1001" },
      { "workers = { min = 10, max = 5 }",
        "workers.max: must be at least min, which is 10, got 5" },
      { "workers = { lag_threshold = 0 }",
        "workers.lag_threshold: must be an integer from 1 to 1000000000, got 0" },
      { "workers = { mim = 2 }", "workers.mim: unknown key, did you mean 'min'?" },
    })
  end)

  it("takes as many workers as it is told, or a number for both", function()
    assert.same({ 10, 100, 25, 0 }, workers("{ min = 10, max = 100, lag_threshold = 25 }"))
    assert.same({ 1, 1000, 1000, 0 }, workers("{ max = 1000 }"))
    assert.same({ 3, 3, 1000, 0 }, workers("{ min = 3, max = 3 }"))
    assert.same({ 7, 7, 1000, 0 }, workers("7"))
  end)

  it("never runs fewer workers at most than at least", function()
    assert.same({ 1000, 1000, 1000, 0 }, workers("{ min = 1000 }"))
    assert.same({ 1, config.cpu_count(), 1000, 0 }, workers("{}"))
  end)

  it("refuses handlers that are no modules", function()
    local function handlers(text)
      return problems(good_but('{ A = "handlers.a" }', text))
    end
    local must = "config.lua:9: consumers.c.handlers.A: " ..
      'must be the name of a module such as "handlers.order_created", got '
    assert.same({ must .. "\"handlers/a.lua\", did you mean 'handlers.a'?" },
      handlers('{ A = "handlers/a.lua" }'))
    assert.same({ must .. "\"a.lua\", did you mean 'a'?" }, handlers('{ A = "a.lua" }'))
    assert.same({ must .. '"a b"' }, handlers('{ A = "a b" }'))
    assert.same({ must .. '""' }, handlers('{ A = "" }'))
    assert.same({ must .. "a function" }, handlers("{ A = function() end }"))
    assert.same({ "config.lua:9: consumers.c.handlers[1]: " ..
      'must have a name, such as OrderPaid = "handlers.order_paid"' }, handlers('{ "a" }'))
    assert.same({ 'config.lua:9: consumers.c.handlers[""]: must be the type of an event, got ""' },
      handlers('{ [""] = "a" }'))
  end)

  it("refuses a group or header without a legal name", function()
    local must = "config.lua:8: consumers.c.group: " ..
      "must be a legal group name, which is 1 to 255 printable characters, got "
    for text, shown in pairs({ ['""'] = '""', ['"a\\tb"'] = '"a\\tb"', ["5"] = "5" }) do
      assert.same({ must .. shown }, problems(good_but('group = "g"', "group = " .. text)))
    end
    assert_refused({ { "type_header = false",
      "type_header: must be the name of a header, got false" } })
  end)

  it("refuses two consumers of one group", function()
    assert.same({ "config.lua:11: consumers.d.group: " ..
      '"g" is the group of consumers.c too, each consumer needs its own' },
      problems(good_but("    },\n  },\n}", "    },\n" ..
        '    d = { topic = "t", group = "g", handlers = { A = "a" } },\n  },\n}')))
  end)

  it("writes a name that is no identifier in brackets", function()
    assert.same({
      'config.lua:6: consumers["a b"].group: is missing',
      'config.lua:8: consumers["a b"].workers.min: must be an integer from 1 to 1000, got 0',
    }, problems((good_but("c = {", '["a b"] = {'):gsub('group = "g"', "workers = { min = 0 }"))))
    assert.same({
      "config.lua:8: consumers.order-events-handler.workers.min: " ..
        "must be an integer from 1 to 1000, got 0",
    }, problems((good_but("c = {", '["order-events-handler"] = {')
      :gsub('group = "g"', '%0, workers = { min = 0 }'))))
  end)
end)

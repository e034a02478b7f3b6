-- A log that nobody takes: what runs goes on, and nothing is dropped silently.

local uv = require("luv")

local admin = require("spec.support.admin_client")
local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")
local exposition = require("spec.support.exposition")
local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")
local wait = require("spec.support.wait")

-- Of 2 KiB a line; together more than the queue takes.
local RECORDS = 2500

local SCRIPT = [[
local lagoon = require("lagoon")
local journal = require("journal")
local text = ("x"):rep(2000)
return function(event, context)
  if event.fails and context.attempt == 1 then error("at first " .. context.key) end
  lagoon.log.info("handled " .. context.offset, { text = text })
  if context.offset % 100 == 0 then journal.record(context) end
end
]]

describe("lagoon run, while nobody takes its log,", function()
  local broker, topic, app, url

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("log", 1)
    app = application.new(broker.brokers, {
      consumers = {
        c = { topic = topic, group = brokers.unique("log"), workers = 2, commit_interval = "50ms",
          handler = "handlers.say" },
      },
    }, { ["handlers/say"] = SCRIPT })
    url = "unix:" .. app.folder .. "/admin"
  end)

  ---Runs it with the shell's words around it; returns when it is ready.
  local function start(redirection)
    local command = redirection .. '; exec "$0" run --listen "unix:$PWD/admin"'
    local started = process.start({ "sh", "-c", command, lagoon.path }, { directory = app.folder })
    wait.till("ready", 20000, function()
      return uv.fs_stat(app.folder .. "/admin") and admin.ask(url, "GET", "/ready").status == 200
    end)
    return started
  end

  local function produce(count, value)
    local records = {}
    for i = 1, count do
      records[i] = { key = "key-" .. i, value = value or "{}",
        headers = { { "Message-Type", "Event" } } }
    end
    broker:produce(topic, records)
  end

  local function metric(name, labels)
    return exposition.value(exposition.parse(admin.ask(url, "GET", "/metrics").body), name, labels)
  end

  ---Waits until all are handled; the longest that the main loop took for an answer, in seconds.
  local function wait_handled(count)
    local longest = 0
    wait.till(count .. " records handled", 30000, function()
      local began = uv.hrtime()
      local handled = metric("lagoon_records_ended_total", { consumer = "c", outcome = "handled" })
      longest = math.max(longest, (uv.hrtime() - began) / 1e9)
      return handled == count, handled
    end)
    return longest
  end

  it("handles all of a topic, and says what a pipe did not take when it is read again", function()
    assert(process.run({ "mkfifo", app.folder .. "/pipe" }).code == 0)
    local run = start("exec 2<>pipe")
    produce(RECORDS)
    local longest = wait_handled(RECORDS)
    assert.is_true(longest < 1 * wait.patience, "an answer took " .. longest)
    local dropped = metric("lagoon_log_lines_dropped_total")
    assert.is_true(dropped > 0)

    local reader = process.start({ "cat", app.folder .. "/pipe" })
    local said = reader:wait_for('"message":"(%d+) log lines were dropped ')
    assert.equal(0, (run:stop()))
    reader:wait_exit()
    local _, lines = reader:stdout():gsub('"message":"handled %d+"', "")
    -- One may have come behind the look at the metric: that it is ready.
    assert.is_true(tonumber(said) - dropped <= 1, said .. " and " .. dropped)
    dropped = tonumber(said)
    -- The line that says that it is ready may be among them.
    local others = lines + dropped - RECORDS
    assert.is_true(others == 0 or others == 1, others .. " lines too many")
    assert.equal(RECORDS / 100, #app:journal())
  end)

  it("goes on with a disk that is full, and writes all of it when it has room", function()
    -- A limit to the size of a file is a disk that is full for one process, until it is raised.
    local run = start("trap '' XFSZ; ulimit -S -f 16; exec 2>log")
    wait.till("the sign of life", 10000, function()
      return directory.read(app.folder .. "/log"):find('"message":"ready: 1 partition, ', 1, true),
        directory.read(app.folder .. "/log")
    end)
    assert.is_nil(directory.read(app.folder .. "/log"):find("\27", 1, true))
    produce(270)
    produce(30, '{"fails":true}')
    assert.is_true(wait_handled(300) < 1 * wait.patience)
    assert(process.run({ "prlimit", "--pid", tostring(run.pid), "--fsize=unlimited" }).code == 0)
    local text
    local function read()
      text = directory.read(app.folder .. "/log")
      return text
    end
    wait.till("all lines", 10000, function()
      return read():find('"message":"handled 299"', 1, true)
    end)
    local _, lines = text:gsub('"message":"handled %d+"', "")
    assert.equal(300, lines)
    assert.equal(0, metric("lagoon_log_lines_dropped_total"))
    assert.equal(0, (run:stop()))

    -- Thirty times one failure: each is in a line, or counted in one.
    local failed, left_out = 0, 0
    for line in read():gmatch("[^\n]+") do
      if line:find("a record failed; tried again", 1, true) then
        failed = failed + 1
        left_out = left_out + (line:match('"repeated":(%d+)}$') or 0)
      end
    end
    assert.equal(30, failed + left_out)
    assert.is_true(failed >= 6 and failed < 12, failed .. " lines")
  end)

  it("ends in time where nobody ever takes it", function()
    local run = start("exec 2> /dev/full")
    produce(10)
    wait_handled(10)
    local began = uv.hrtime()
    assert.equal(0, (run:stop()))
    assert.is_true((uv.hrtime() - began) / 1e9 < 3 * wait.patience)
  end)
end)

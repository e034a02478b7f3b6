-- What `lagoon publish` says while and after it publishes.

local json = require("cjson")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local process_support = require("spec.support.process")
local uv = require("luv")
local wait = require("spec.support.wait")

describe("lagoon publish", function()
  local broker, topic, app

  before_each(function()
    broker = brokers.start()
    topic = broker:new_topic("acks", 1)
    app = application.new(broker.brokers, { producers = { out = { topic = topic } } })
  end)

  it("--ack answers each line with one of JSON, and puts the count aside", function()
    local other = broker:new_topic("other", 1)
    local process = app:run({ "publish", "out", "--ack" }, { input = table.concat({
      ('{"type":"A","value":3,"topic":"%s","partition":7}'):format(other), "nonsense",
      '{"type":"A","value":1}', "", '{"type":"A","value":2}',
    }, "\n") }).process
    assert.equal(5, process.code)
    local acks = {}
    for line in process:stdout():gmatch("([^\n]*)\n") do
      local ack = json.decode(line)
      assert.is_nil(acks[ack.line])
      acks[ack.line] = ack
    end
    assert.same({ line = 3, topic = topic, partition = 0, offset = 0 }, acks[3])
    assert.same({ line = 5, topic = topic, partition = 0, offset = 1 }, acks[5])
    local refusal = ('topic "%s" has no partition 7'):format(other)
    assert.matches(refusal, acks[1].error, 1, true)
    assert.same({ line = 2, error = "json.decode: byte 1: expected null, found 'o'" }, acks[2])
    assert.is_nil(acks[4])
    assert.matches("line 1: [^\n]*" .. refusal:gsub("%p", "%%%0") .. "\n", process:stderr())
    assert.matches("published 2 events in ", process:stderr(), 1, true)
  end)

  it("--ack answers while the input is still open", function()
    local run = app:start({ "publish", "out", "Sent", "--ack" }, { input = true })
    for number = 1, 3 do
      run.process:write("{}\n")
      run.process:wait_for(('^{"line":%d,"topic":"%s","partition":0,"offset":%d}$')
        :format(number, topic:gsub("%p", "%%%0"), number - 1))
    end
    run.process:close_input()
    assert.equal(0, (run.process:wait_exit()))
  end)

  it("--ack ends when nobody reads the acknowledgements", function()
    local script = ("yes '{}' | '%s' publish out Sent --ack | head -n 2; exit ${PIPESTATUS[1]}")
      :format(lagoon.path)
    local process = process_support.run({ "bash", "-c", script }, { directory = app.folder })
    assert.equal(5, process.code)
    assert.matches("lagoon publish: nobody reads the acknowledgements; ended after line %d+\n",
      process:stderr())
  end)

  it("says the counts when a signal ends it, and how far it came", function()
    local run = app:start({ "publish", "out", "Sent" }, { input = true })
    run.process:write("{}\n{}\nhalf")
    assert.equal(2, #broker:consume(topic, { count = 2 }))
    run.process:signal("sigint")
    assert.equal(5, (run.process:wait_exit()))
    assert.matches("^published 2 events in ", run.process:stdout())
    assert.matches("lagoon publish: cut off by a signal after line 2\n", run.process:stderr(), 1,
      true)
  end)

  it("reads no further than its answers are read, so that memory stays bounded", function()
    local script = ([[yes '{"text":"%s"}' | '%s' publish out Sent --ack > >(
        sh -c 'while kill -0 $PPID; do sleep 0.1; done' 2> /dev/null) &
      echo "pid $!"; wait]]):format(("x"):rep(1000), lagoon.path)
    local run = process_support.start({ "bash", "-c", script }, { directory = app.folder })
    local pid = run:wait_for("^pid (%d+)$")
    local last = 0
    local published = wait.till("the end of reading", 30000, function()
      local now = broker:end_offsets(topic, 1)[0]
      local has_stopped = now > 0 and now == last
      last = now
      uv.sleep(300)
      return has_stopped and now
    end)
    assert.is_true(published < 120000, published .. " records")
    local status = directory.read("/proc/" .. pid .. "/status")
    local megabytes = tonumber(status:match("VmHWM:%s*(%d+)")) // 1024
    assert.is_true(megabytes < 250, megabytes .. " MiB")
    uv.kill(tonumber(pid), "sigkill")
  end)

  it("says on a terminal what it waits for", function()
    local run = process_support.start({ "script", "-qec", ("'%s' publish out Sent")
      :format(lagoon.path), "/dev/null" }, { directory = app.folder, input = true })
    run:wait_for("lagoon publish: reads a line of JSON for each event; Ctrl%-D ends it")
    run:stop()
  end)

  it("shows on a terminal how far it is, in one line", function()
    local run = process_support.start({ "script", "-qec", ("'%s' publish out Sent 2>&1 1>/dev/null")
      :format(lagoon.path) .. " < <(while sleep 0.05; do echo '{}'; done)", "/dev/null" },
      { directory = app.folder, env = { SHELL = "/bin/bash", TERM = "xterm" }, input = true })
    wait.till("two looks", 10000, function()
      local _, count = run:stdout():gsub("%d+ published, %d+ a second", "")
      return count >= 2
    end)
    assert.matches("%d+ published, %d+ a second\r\27%[K%d+ published", run:stdout())
  end)
end)

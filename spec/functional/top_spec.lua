-- `lagoon top` on a terminal, from the first frame to the restored screen.

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local screens = require("spec.support.screen")
local wait = require("spec.support.wait")

describe("lagoon top", function()
  local broker, app, run, topic

  setup(function()
    broker = brokers.start()
    topic = broker:new_topic("top", 2)
    app = application.new(broker.brokers, {
      producers = { out = { topic = topic } },
      consumers = {
        ["first-one"] = { topic = topic, group = brokers.unique("top"), workers = { max = 3 },
          handlers = { Event = "handlers.notes" } },
        second = { topic = topic, group = brokers.unique("top"), enabled = true,
          handlers = { Event = "handlers.notes" } },
      },
    }, { ["handlers/notes"] = [[
      local journal = require("journal")
      return function(_, context) journal.record(context) end
    ]] })
    run = app:start({ "run" })
    run:wait_assigned("first-one")
    run:wait_assigned("second")
  end)

  teardown(function()
    run:stop()
  end)

  local function start(arguments, options)
    options = options or {}
    options.directory = app.folder
    options.width, options.height = options.width or 100, options.height or 30
    return screens.start("top --every 100ms " .. (arguments or ""), options)
  end

  it("shows what happens, does what is confirmed, and gives the screen back", function()
    local screen = start()
    local frame = screen:wait_frame("> first-one ", "  second ", "process " .. run.process.pid)
    assert.matches("\27[7m  CONSUMER ", frame, 1, true)
    broker:produce(topic, { { key = "k", value = "{}" } },
      { headers = { { "Message-Type", "Event" } } })
    screen:wait_frame("in all:  handled 1 ")
    screen:type("\27[B")
    screen:wait_frame("> second ")
    screen:type("p")
    screen:wait_frame("pause consumer second? y: yes")
    screen:type("y")
    screen:wait_frame("consumer second is paused", "> second    paused ")
    assert.equal(1, #run:log("^consumer second: running %-> paused"))
    screen:type("p")
    screen:wait_frame("resume consumer second? y: yes")
    screen:type("y")
    screen:wait_frame("consumer second goes on", "> second    running ")
    screen:type("q")
    assert.same({ 0, "" }, { screen:wait_end() })
  end)

  it("goes by the size of the terminal, and without colours where they are not wanted", function()
    local screen = start("", { env = { NO_COLOR = "1" } })
    local wide = screen:wait_frame("COMMITTED")
    assert.is_nil(wide:find("\27", 1, true))
    assert.equal(30, select(2, wide:gsub("\n", "\n")) + 1)
    screen:resize(40, 6)
    local small = wait.till("a small frame", 10000, function()
      local frame = screen:frame()
      return select(2, frame:gsub("\n", "\n")) == 5 and frame
    end)
    for line in small:gmatch("[^\n]+") do
      assert.is_true(#line <= 40, line)
    end
    assert.matches("\n> first%-one ", small)
    screen:type("\3")
    assert.same({ 0, "" }, { screen:wait_end() })
  end)

  it("can be stopped and go on, with the terminal as it was meanwhile", function()
    local screen = start()
    screen:wait_frame("> first-one ")
    screen:type("\26")
    assert.equal("yes", screen.process:wait_for("stopped, restored (%l*)"))
    local before = #screen.process:stdout()
    screen:type("\n")
    wait.till("a frame after it", 10000, function()
      return screen.process:stdout():find("\27%[%?1049h.*> first%-one ", before)
    end)
    screen:type("q")
    assert.equal(0, (screen:wait_end()))
  end)

  it("says that there is no answer, and ends all the same", function()
    local screen = start()
    screen:wait_frame("> first-one ")
    run.process:signal("sigstop")
    finally(function() run.process:signal("sigcont") end)
    screen:wait_frame("no answer for 2s")
    screen:type("q")
    assert.same({ 0, "" }, { screen:wait_end() })
  end)

  it("ends with its terminal", function()
    local screen = start()
    screen:wait_frame("> first-one ")
    screen.process:signal("sigkill")
    -- Of a process that has ended nothing is left, or nothing but its number.
    wait.till("the end of it", 10000, function()
      local file = io.open(("/proc/%d/cmdline"):format(screen.pid))
      local words = file and file:read("a") or ""
      return words == "" and (not file or file:close())
    end)
  end)

  it("says that it takes a terminal", function()
    local asked = app:run({ "top" })
    assert.same({ 2, "", "lagoon top: it takes a terminal to show this on; lagoon status says it "
      .. "once, lagoon status --json for programs\n" },
      { asked.process.code, asked.process:stdout(), asked.process:stderr() })
    local code, said = start("--every 10ms"):wait_end()
    assert.same({ 2, "lagoon top: --every is 100 ms or more\n" }, { code, said })
  end)

  it("says that the process has ended", function()
    local screen = start()
    screen:wait_frame("> first-one ")
    assert.equal(0, run:stop())
    local code, said = screen:wait_end()
    assert.equal(4, code)
    assert.equal(("lagoon top: process %d has ended: no lagoon of config.lua runs here as 1\n")
      :format(run.process.pid), said)
  end)
end)

-- As the first process of a container: what that owes to the others.

local application = require("spec.support.application")
local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")
local run = require("spec.support.run")
local uv = require("luv")
local wait = require("spec.support.wait")

-- Leaves a process behind that nobody waits for.
local LEAVES = [[
os.execute("(sleep 0.1; echo gone >> '@FOLDER@/left') &")
return function() error("no") end
]]

local NAMESPACE = { "unshare", "--pid", "--fork", "--kill-child=KILL", "--" }

-- What looks for leaks stops the threads that /proc names, by their numbers outside.
local ASAN = os.getenv("LAGOON_SPEC_ASAN_OPTIONS")

local function in_namespace(arguments)
  local command = table.move(NAMESPACE, 1, #NAMESPACE, 1, {})
  if ASAN then
    table.insert(command, "env")
    table.insert(command, "ASAN_OPTIONS=" .. (ASAN:gsub("detect_leaks=1", "detect_leaks=0")))
  end
  table.insert(command, lagoon.path)
  return table.move(arguments, 1, #arguments, #command + 1, command)
end

local function children(pid)
  local found = {}
  for child in directory.read(("/proc/%d/task/%d/children"):format(pid, pid)):gmatch("%d+") do
    table.insert(found, tonumber(child))
  end
  return found
end

local function is_zombie(pid)
  local ok, text = pcall(directory.read, ("/proc/%d/stat"):format(pid))
  return ok and text:find("^%d+ %b() Z") ~= nil
end

describe("as the first process of a PID namespace", function()
  local app, first, program

  if process.run({ "unshare", "--pid", "--fork", "true" }).code ~= 0 then
    pending("a PID namespace cannot be made here")
    return
  end

  before_each(function()
    app = application.new("127.0.0.1:1", {
      consumers = { c = { topic = "t", group = "g", handlers = { Event = "handlers.event" } } },
    })
    app:script("handlers/event", (LEAVES:gsub("@FOLDER@", app.folder)))
  end)

  local function start()
    local started = run.new(process.start(in_namespace({ "run", "--config",
      app.folder .. "/config.lua" })))
    started:wait_log("127%.0%.0%.1:1")
    first = children(started.process.pid)[1]
    program = children(first)[1]
    return started
  end

  it("lagoon leaves no zombies", function()
    local started = start()
    wait.till("a process that was left to end", 5000, function()
      return uv.fs_stat(app.folder .. "/left")
    end)
    wait.till("the end of its zombie", 5000, function()
      for _, child in ipairs(children(first)) do
        if is_zombie(child) then
          return false, "a zombie: " .. child
        end
      end
      return true
    end)
    uv.kill(first, "sigterm")
    assert.equal(0, (started.process:wait_exit()))
  end)

  it("lagoon ends by SIGTERM, and hears SIGHUP", function()
    local started = start()
    uv.kill(first, "sighup")
    started:wait_log("reload")
    uv.kill(first, "sigterm")
    assert.equal(0, (started.process:wait_exit()))
  end)

  it("lagoon's exit code is the container's", function()
    local handled = process.run(in_namespace({ "handle", "c", "Event", "--config",
      app.folder .. "/config.lua" }), { input = "{}" })
    assert.equal(7, handled.code)
    local killed = start()
    uv.kill(program, "sigkill")
    assert.equal(128 + 9, (killed.process:wait_exit()))
  end)

  it("a lagoon of the same config and network is another one", function()
    local started = start()
    local arguments = { "status", "--config", app.folder .. "/config.lua" }
    assert.matches("no lagoon", lagoon.run(arguments):stderr())
    local inside = { "nsenter", "--target", tostring(program), "--pid", "--", lagoon.path }
    local status = process.run(table.move(arguments, 1, #arguments, #inside + 1, inside))
    assert.equal(0, status.code)
    uv.kill(first, "sigterm")
    started.process:wait_exit()
  end)
end)

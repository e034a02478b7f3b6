-- What changes on disk is reloaded by a process that watches.

local lfs = require("lfs")
local uv = require("luv")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")
local process = require("spec.support.process")
local wait = require("spec.support.wait")

local CONFIG = [[
return {
  cluster = { brokers = "%s" },
  watch = true,
  consumers = {
    reader = { topic = "%s", group = "%s", handlers = include("handlers.lua") },
  },
}
]]

local HANDLER = 'require("text")\nreturn function() end\n'

describe("a process that watches its files", function()
  local broker, app, lagoon
  local number = 1

  ---Puts the folder `name` behind a link, as Kubernetes does with a ConfigMap.
  local function swap(name)
    local scripts = app.folder .. "/scripts"
    assert(uv.fs_symlink(name, scripts .. "/..data_tmp"))
    assert(os.rename(scripts .. "/..data_tmp", scripts .. "/..data"))
  end

  setup(function()
    broker = brokers.start()
    local topic = broker:new_topic("watched", 1)
    app = application.new(broker.brokers, CONFIG:format(broker.brokers, topic, topic), {
      ["handlers/first"] = HANDLER,
      ["handlers/second"] = HANDLER,
      ["..one/text"] = 'return "one"',
      ["..two/text"] = 'return "two"',
    })
    directory.write(app.folder .. "/handlers.lua", 'return { Event = "handlers.first" }')
    swap("..one")
    assert(uv.fs_symlink("..data/text.lua", app.folder .. "/scripts/text.lua"))
    lagoon = app:start({ "run" })
    lagoon:wait_assigned("reader")
  end)

  local function await_reload(what)
    number = number + 1
    return lagoon:wait_log(("^reloaded, generation %d runs: .*%s"):format(number, what))
  end

  it("takes up a file in a sub-folder within two seconds", function()
    local began = uv.hrtime()
    app:script("handlers/first", HANDLER .. "-- more\n")
    await_reload("scripts/handlers/first.lua$")
    assert.is_true((uv.hrtime() - began) / 1e9 < 2 * wait.patience + 1)
  end)

  it("takes up a file that an editor puts in place of another", function()
    local path = app.folder .. "/scripts/handlers/first.lua"
    directory.write(path .. ".new", HANDLER .. "-- replaced\n")
    assert(os.rename(path .. ".new", path))
    await_reload("scripts/handlers/first.lua$")
  end)

  it("takes up the swap of a folder behind a link", function()
    swap("..two")
    await_reload("scripts/text.lua$")
  end)

  it("takes up a file that the config includes", function()
    directory.write(app.folder .. "/handlers.lua", 'return { Event = "handlers.second" }')
    await_reload("consumers.reader.handlers.Event$")
  end)

  it("says once what it refuses, and takes up what comes next", function()
    app:script("handlers/second", "return function(")
    lagoon:wait_log("^reload refused, still running generation " .. number .. ": .*second.lua:1:")
    assert(process.run({ "touch", app.folder .. "/scripts/handlers/second.lua" }).code == 0)
    directory.write(app.folder .. "/handlers.lua", "return { Event =")
    lagoon:wait_log("^reload refused, still running generation " .. number .. ": .*handlers.lua:1:")
    assert.equal(2, #lagoon:log("^reload refused"))
    app:script("handlers/second", HANDLER)
    directory.write(app.folder .. "/handlers.lua", 'return { Event = "handlers.first" }')
    await_reload("consumers.reader.handlers.Event$")
  end)

  it("says nothing of a file that was only touched", function()
    local path = app.folder .. "/scripts/handlers/first.lua"
    local before = #lagoon:log()
    assert(lfs.touch(path, 1, 1))
    app:script("handlers/later", "-- is needed by nobody\n")
    await_reload("scripts/handlers/later.lua %(new%)$")
    assert.equal(before + 1, #lagoon:log())
  end)
end)

-- Scripts on a mount of their own, as a container has them, which change on the other side of it.

local uv = require("luv")

local application = require("spec.support.application")
local brokers = require("spec.support.broker")
local directory = require("spec.support.directory")
local lagoon_program = require("spec.support.lagoon")
local process = require("spec.support.process")
local run = require("spec.support.run")

-- Another mount namespace, and where that needs rights, a user of its own in front of it.
local UNSHARE = uv.getuid() == 0 and { "unshare", "-m" } or { "unshare", "-rm" }

local function unshared(...)
  return table.move({ ... }, 1, select("#", ...), #UNSHARE + 1,
    table.move(UNSHARE, 1, #UNSHARE, 1, {}))
end

-- Whether this machine lets a process mount what only itself sees.
local function may_mount()
  local folder = directory.new()
  return process.run(unshared("mount", "--bind", folder, folder)).code == 0
end

describe("scripts on a bind mount", function()
  local broker, app, outside, lagoon
  local number = 1

  -- Runs in a namespace in which the folder outside stands where its scripts are.
  local function start_inside()
    local inside = app.folder .. "/scripts"
    local command = ("mount --bind '%s' '%s' && exec '%s' run --watch"):format(outside, inside,
      lagoon_program.path)
    return run.new(process.start(unshared("sh", "-c", command), { directory = app.folder }))
  end

  local function write(name, text)
    directory.write(("%s/handlers/%s.lua"):format(outside, name), text)
  end

  setup(function()
    if not may_mount() then
      return
    end
    broker = brokers.start()
    local topic = broker:new_topic("mounted", 1)
    app = application.new(broker.brokers, {
      consumers = {
        reader = { topic = topic, group = topic, handlers = { Event = "handlers.deep" } },
      },
    })
    outside = directory.new() .. "/scripts"
    directory.make(outside .. "/handlers")
    write("deep", "return function() end\n")
    lagoon = start_inside()
    lagoon:wait_assigned("reader")
  end)

  teardown(function()
    if lagoon then
      assert.equal(0, lagoon:stop())
    end
  end)

  local function await_reload(what)
    number = number + 1
    lagoon:wait_log(("^reloaded, generation %d runs: %s$"):format(number, what))
  end

  local function promise(name, body)
    it(name, function()
      if lagoon then
        body()
      else
        pending("this machine lets nobody mount a folder")
      end
    end)
  end

  promise("are taken up when they change on its other side", function()
    write("deep", "-- changed\nreturn function() end\n")
    await_reload("scripts/handlers/deep.lua")
    write("more", "return {}\n")
    await_reload("scripts/handlers/more.lua %(new%)")
  end)

  promise("are taken up when an editor outside puts another file in place of one", function()
    local path = outside .. "/handlers/deep.lua"
    directory.write(path .. "~", "-- replaced\nreturn function() end\n")
    assert(os.rename(path .. "~", path))
    await_reload("scripts/handlers/deep.lua")
  end)

  promise("are taken up when all of them are swapped behind a link, as a ConfigMap is", function()
    local function swap(name, text)
      directory.make(outside .. "/" .. name)
      directory.write(("%s/%s/text.lua"):format(outside, name), text)
      assert(uv.fs_symlink(name, outside .. "/..data_tmp"))
      assert(os.rename(outside .. "/..data_tmp", outside .. "/..data"))
    end
    swap("..one", "return 1\n")
    assert(uv.fs_symlink("..data/text.lua", outside .. "/text.lua"))
    await_reload("scripts/text.lua %(new%)")
    swap("..two", "return 2\n")
    await_reload("scripts/text.lua")
  end)

  promise("are refused with file and line when they are broken", function()
    write("deep", "return function(\n")
    lagoon:wait_log("^reload refused, still running generation " .. number
      .. ": scripts/handlers/deep.lua:2: ")
  end)
end)

-- `lagoon new`, and what it writes, used as its user would.

local uv = require("luv")

local directory = require("spec.support.directory")
local lagoon = require("spec.support.lagoon")
local process = require("spec.support.process")

local build = lagoon.path:match("^(.*)/lagoon$")
local is_plain = uv.fs_realpath(os.getenv("LAGOON_SPEC_TESTING")) ==
  uv.fs_realpath(build .. "/lua/lagoon/testing.so")

---Runs a command line of a shell in a folder.
local function shell(folder, command, path)
  return process.run({ "sh", "-c", command }, { directory = folder,
    env = { PATH = path, MAKEFLAGS = false, MAKELEVEL = false, MFLAGS = false } }, 120000)
end

local function assert_specs_pass(run)
  assert(run.code == 0 and run:stdout():find("\n2 successes / 0 failures", 1, true),
    run:stdout() .. run:stderr())
end

describe("lagoon new", function()
  local path = os.getenv("PATH")

  it("writes an application that passes its check and handles an event within 5 s", function()
    local folder = directory.new()
    local began = uv.hrtime()
    assert.equal(0, lagoon.run({ "new", "shop" }, { directory = folder }).code)
    local dev = lagoon.start({ "dev", "--port", "0" }, { directory = folder .. "/shop" })
    dev:wait_for('"greeted".*"name":"Ada"', 20000)
    local seconds = (uv.hrtime() - began) / 1e9
    dev:stop(20000)
    assert(seconds < 5 * tonumber(os.getenv("LAGOON_SPEC_PATIENCE") or 1), seconds)
    local check = lagoon.run({ "check" }, { directory = folder .. "/shop" })
    assert.equal("config.lua: good: 2 topics, 2 producers, 1 consumer, 2 script files\n",
      check:stdout():match("[^\n]*good[^\n]*\n"))
    local record = { input = '{"visitor_id": "v", "name": "Ada"}', directory = folder .. "/shop" }
    local handled = lagoon.run({ "handle", "shop-greeter", "VisitorCame" }, record)
    assert.matches("^done\n.*VisitorGreeted by greetings, to shop%-greetings, key v\n",
      handled:stdout())
  end)

  it("names the next two commands, which work in the build tree", function()
    local folder = directory.new()
    local new = lagoon.run({ "new", "my shop's" }, { directory = folder })
    assert.equal("", new:stderr())
    local dev, test = new:stdout():match("^Next:\n  ([^\n]*)\n  ([^\n]*)\n$")
    assert.equal("cd 'my shop'\\''s' && " .. lagoon.path .. " dev", dev)
    assert.equal("cd 'my shop'\\''s' && busted", test)
    local config = directory.read(folder .. "/my shop's/config.lua")
    assert.matches('group = "my-shop-s"', config, 1, true)
    local luarc = directory.read(folder .. "/my shop's/.luarc.json")
    assert.matches('"' .. build .. '/lua",', luarc, 1, true)
    assert.truthy(uv.fs_stat(build .. "/lua/lagoon.d.lua"))
    if is_plain then
      assert_specs_pass(shell(folder, test, path))
    end
  end)

  it("and `make install` go together", function()
    if not is_plain then
      pending("a library that is checked for faults is not installed")
      return
    end
    local folder = directory.new()
    local prefix = folder .. "/prefix"
    local install = shell(nil, ("make install PREFIX='%s' BUILD='%s'"):format(prefix, build), path)
    assert(install.code == 0, install:stderr())
    local bin = prefix .. "/bin:" .. path
    local new = shell(folder, "lagoon new shop", bin)
    assert.equal("Next:\n  cd shop && lagoon dev\n  cd shop && busted\n", new:stdout())
    assert_specs_pass(shell(folder, "cd shop && busted", bin))
    local busted = assert(loadfile(folder .. "/shop/.busted"))()
    assert.equal(prefix .. "/lib/lua/5.4/?.so", busted.default.cpath)
    local luarc = directory.read(folder .. "/shop/.luarc.json")
    local library = assert(luarc:match('"(/[^"]*)"'))
    assert.equal(prefix .. "/share/lagoon", library)
    assert.truthy(uv.fs_stat(library .. "/lagoon.d.lua"))
    assert.truthy(uv.fs_stat(library .. "/testing.d.lua"))
    local check = shell(folder, "cd shop && lagoon check", bin)
    assert.equal(0, check.code)
  end)

  it("leaves out what it does not find", function()
    local folder = directory.new()
    assert.equal(0, shell(folder, ("cp '%s' ."):format(lagoon.path), path).code)
    local new = shell(folder, "./lagoon new shop", path)
    assert.matches("\n(busted needs lagoon.testing, which `make install` puts in place)\n",
      new:stdout(), 1, true)
    assert.same({ default = { lua = "lua5.4" } }, loadfile(folder .. "/shop/.busted")())
    assert.is_nil(directory.read(folder .. "/shop/.luarc.json"):find("@", 1, true))
  end)

  it("refuses a folder that is not empty, and takes one that is", function()
    local folder = directory.with({ ["full/notes.txt"] = "mine" })
    directory.make(folder .. "/empty")
    local function new(name)
      local run = lagoon.run({ "new", name }, { directory = folder })
      return run.code, run:stderr()
    end
    assert.same({ 2, "lagoon new: full is not empty: it has notes.txt; take a new folder\n" },
      { new("full") })
    assert.same({ 0, "" }, { new("empty") })
    assert.equal(2, (new("empty")))
    assert.same({ 2, "lagoon new: no/parent: No such file or directory\n" }, { new("no/parent") })
    assert.same({ 2, "lagoon new: full/notes.txt: Not a directory\n" }, { new("full/notes.txt") })
  end)
end)

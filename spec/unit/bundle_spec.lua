local uv = require("luv")

local bundle = require("unit").bundle
local directory = require("spec.support.directory")

local function read(files)
  local path = directory.with(files)
  return assert(bundle.read(path)), path
end

local function refusal(path)
  local read_bundle, message = bundle.read(path)
  assert.is_nil(read_bundle)
  return message
end

describe("bundle", function()
  it("holds every Lua file by the name that require takes, sorted", function()
    local scripts, path = read({
      ["main.lua"] = "return 1",
      ["handlers/order_paid.lua"] = "return 2",
      ["handlers/deep/er.lua"] = "return 3",
      ["services/init.lua"] = "return 4",
      ["services/stock.lua"] = "",
      ["init.lua"] = "return 5",
    })
    assert.same({
      { module = "handlers.deep.er", path = path .. "/handlers/deep/er.lua", bytes = "return 3" },
      { module = "handlers.order_paid", path = path .. "/handlers/order_paid.lua",
        bytes = "return 2" },
      { module = "init", path = path .. "/init.lua", bytes = "return 5" },
      { module = "main", path = path .. "/main.lua", bytes = "return 1" },
      { module = "services", path = path .. "/services/init.lua", bytes = "return 4" },
      { module = "services.stock", path = path .. "/services/stock.lua", bytes = "" },
    }, scripts:files())
  end)

  it("finds a module by its whole name only", function()
    local scripts = read({ ["a/b.lua"] = "return 1", ["c.lua"] = "return 2" })
    assert.equal("return 1", scripts:find("a.b").bytes)
    assert.equal("return 2", scripts:find("c").bytes)
    assert.is_nil(scripts:find("a"))
    assert.is_nil(scripts:find("b"))
    assert.is_nil(scripts:find("a.b.c"))
    assert.is_nil(scripts:find(""))
  end)

  it("finds nothing in an empty folder", function()
    local scripts = read({})
    assert.same({}, scripts:files())
    assert.is_nil(scripts:find("a"))
  end)

  it("keeps any byte of a file", function()
    local bytes = "\0\xff\r\n" .. ("x"):rep(200000) .. "\0"
    assert.equal(bytes, read({ ["a.lua"] = bytes }):find("a").bytes)
  end)

  it("leaves aside other files and names that begin with a dot", function()
    local scripts = read({
      ["a.lua"] = "",
      ["README.md"] = "",
      ["a.lua~"] = "",
      [".lua"] = "",
      [".#a.lua"] = "",
      [".git/hook.lua"] = "",
    })
    assert.equal(1, #scripts:files())
  end)

  it("does not show the slashes behind the folder's name", function()
    local path = directory.with({ ["a.lua"] = "" })
    assert.equal(path .. "/a.lua", assert(bundle.read(path .. "//")):find("a").path)
  end)

  it("follows symbolic links to files and folders", function()
    local path = directory.with({
      ["scripts/.data/a.lua"] = "return 1",
      ["shared/b.lua"] = "return 2",
    })
    assert(uv.fs_symlink(".data/a.lua", path .. "/scripts/a.lua"))
    assert(uv.fs_symlink("../shared", path .. "/scripts/one"))
    assert(uv.fs_symlink("../shared", path .. "/scripts/two"))
    local modules = {}
    for i, file in ipairs(assert(bundle.read(path .. "/scripts")):files()) do
      modules[i] = file.module
    end
    assert.same({ "a", "one.b", "two.b" }, modules)
  end)

  it("refuses a symbolic link that leads back up", function()
    local path = directory.with({ ["a/b.lua"] = "" })
    assert(uv.fs_symlink("..", path .. "/a/up"))
    assert.equal(path .. "/a/up: the link leads back to " .. path, refusal(path))
  end)

  it("refuses a folder that does not exist", function()
    local path = directory.new()
    assert.equal(path .. "/none: there is no such folder", refusal(path .. "/none"))
  end)

  it("refuses a file in place of the folder", function()
    local path = directory.with({ ["a.lua"] = "" })
    assert.equal(path .. "/a.lua: is no folder", refusal(path .. "/a.lua"))
  end)

  it("refuses a Lua file that cannot be read", function()
    local path = directory.new()
    assert(uv.fs_symlink("gone", path .. "/a.lua"))
    assert.equal(path .. "/a.lua: cannot be read: No such file or directory", refusal(path))
  end)

  it("refuses a pipe in place of a Lua file, and does not wait for its writer", function()
    local path = directory.new()
    assert(os.execute("mkfifo " .. path .. "/a.lua"))
    assert.equal(path .. "/a.lua: is no file", refusal(path))
  end)

  it("refuses two files that are the same module", function()
    local path = directory.with({ ["a/b.lua"] = "", ["a/b/init.lua"] = "" })
    assert.equal(("%s/a/b.lua and %s/a/b/init.lua are both the module a.b; rename one of them")
      :format(path, path), refusal(path))
  end)

  it("refuses more than 64 MiB in all", function()
    local megabytes = ("-"):rep(32 * 1024 * 1024)
    local path = directory.with({ ["a.lua"] = megabytes, ["b/c.lua"] = megabytes })
    assert.equal(2, #assert(bundle.read(path)):files())
    directory.write(path .. "/d.lua", "-")
    assert.equal(path .. ": the scripts are more than 64 MiB", refusal(path))
  end)
end)

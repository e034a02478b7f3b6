local config = require("unit").config
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")

local problems = config_file.problems

describe("config as a program", function()
  it("reports a syntax error at its line", function()
    assert.same({ "config.lua:3: '}' expected (to close '{' at line 1) near 'y'" },
      problems("return {\n  x = 1\n  y = 2\n}"))
    assert.same({ "config.lua:2: unfinished string near '\"a'" }, problems('\nreturn "a\n'))
  end)

  it("reports an error it raises at the line that raises it", function()
    assert.same({ "config.lua:3: attempt to index a nil value (local 't')" },
      problems("local t\n\nreturn { x = t.y }"))
    assert.same({ "config.lua:2: no brokers" }, problems('\nerror("no brokers")'))
    assert.same({ "config.lua:2: no position" }, problems('\nerror("no position", 0)'))
    assert.same({ "config.lua:2: the error is a table" }, problems("\nerror({})"))
    assert.same({ "config.lua:1: the error is nil" }, problems("error()"))
    assert.same({ "config.lua:1: bad argument #1 to 'rep' (string expected, got nil)" },
      problems("return string.rep(nil, 1)"))
    assert.same({ "config.lua:1: two\\nlines" }, problems('error("two\\nlines")'))
  end)

  it("reports a file that returns no table", function()
    assert.same({ "config.lua:1: must return a table, got nil" }, problems(""))
    assert.same({ "config.lua:2: must return a table, got nil" }, problems("local x = {\n}"))
    assert.same({ "config.lua:1: must return a table, got 5" }, problems("return 5\n"))
  end)

  it("reports a file that cannot be read", function()
    local folder = directory.new()
    local _, missing = config.load(folder .. "/none.lua")
    assert.same({ folder .. "/none.lua: cannot be read: No such file or directory" }, missing)
    local _, unreadable = config.load(folder)
    assert.same({ folder .. ": cannot be read: Is a directory" }, unreadable)
    local big = directory.write(folder .. "/big.lua", ("-"):rep(4 * 1024 * 1024 + 1))
    local _, too_large = config.load(big)
    assert.same({ big .. ": is larger than 4 MiB" }, too_large)
  end)

  it("names a file with a long path in full", function()
    local path = directory.write(directory.new() .. ("/folder"):rep(20) .. "/config.lua", "grp()")
    local _, found = config.load(path)
    assert.same({ path .. ":1: unknown name 'grp'" }, found)
  end)

  it("refuses compiled Lua", function()
    assert.same({ "config.lua: attempt to load a binary chunk (mode is 't')" },
      problems(string.dump(load("return {}"))))
  end)

  it("checks a large config in time", function()
    local loaded = config_file.good([[
local topics, producers = {}, {}
for i = 1, 1000 do
  local a, b, c = string.char(97 + i % 26), string.char(97 + i // 26 % 26), i // 676
  topics["shop." .. a .. "x" .. b .. "-" .. c .. "-events"] = { partitions = 3 }
  producers["p" .. i] = { topic = "shop." .. b .. "yz" .. a .. "-" .. c .. "-events" }
end
return { cluster = { brokers = "a:1" }, topics = topics, producers = producers }
]])
    assert.same({ 1000, 1000, {} }, { #loaded.topics, #loaded.producers, loaded.notices })
  end)

  it("does not know names that are not there", function()
    assert.same({ "config.lua:1: unknown name 'grp'" }, problems("return { x = grp }"))
    assert.same({ "config.lua:1: unknown name 'require', did you mean 'include'?" },
      problems("return require('topics')"))
    assert.same({ "config.lua:1: unknown name 'enf', did you mean 'env'?" },
      problems('return { x = enf("A") }'))
    for _, name in ipairs({ "io", "os", "require", "load", "loadfile", "dofile", "package", "debug",
      "print", "collectgarbage", "coroutine", "setmetatable", "getmetatable", "_G", "rawset" }) do
      local found = problems("return { x = " .. name .. " }")
      assert.equal(1, #found)
      assert.equal(("config.lua:1: unknown name '%s'"):format(name), found[1]:match("^[^,]+"))
    end
    assert.same({ "config.lua:1: attempt to call a nil value (field 'dump')" },
      problems("string.dump()"))
  end)

  it("does not let globals be set", function()
    assert.same({ "config.lua:2: must not set the global 'x', write local in front" },
      problems("\nx = 1"))
  end)

  it("has what a description needs", function()
    local loaded = config_file.good([[
local parts = { "a", "b" }
local brokers = {}
for i, part in ipairs(parts) do
  table.insert(brokers, ("%s%d:%s"):format(part, i, tostring(tonumber("1") + #parts)))
end
assert(pcall(error) == false and select("#", next({})) == 1 and utf8.len("x") == 1)
return { cluster = { brokers = table.concat(brokers, ","), properties = { x = math.pi // 1 } } }
]])
    assert.equal("a1:3,b2:3", loaded.clusters[1].brokers)
  end)

  it("cannot change what the checks work with", function()
    config_file.good("string.find, table.insert, math.max, string.format = nil\n" ..
      config_file.GOOD)
  end)

  it("is stopped when it does not end, also where it catches every error", function()
    assert.same({ "config.lua:2: is still running after 2 s" },
      problems("\nwhile true do pcall(function() while true do end end) end"))
  end)

  it("is stopped when it takes too much memory", function()
    assert.same({ "config.lua:3: needs more than 64 MiB of memory" },
      problems("local t = {}\nfor i = 1, 1e9 do\n  t[i] = ('x'):rep(1e5) .. i end\nreturn t"))
    assert.same({ "config.lua:2: needs more than 64 MiB of memory" },
      problems("\nlocal s = ('x'):rep(1e8)"))
  end)

  it("is refused when the table it returns is too much to check", function()
    assert.same({ "config.lua: cannot be checked: is still running after 2 s" }, problems(
      "local t = {}\nfor i = 1, 50000 do t[('k'):rep(50) .. i] = 1 end\nreturn t"))
    assert.same({ "config.lua: cannot be checked: needs more than 64 MiB of memory" }, problems(
      "local t = {}\nfor i = 1, 50 do t[i] = ('x'):rep(1000000) .. i end\n" ..
        "return { x = t, cluster = { brokers = ('a:1,'):rep(750000) } }"))
  end)

  it("may hold itself", function()
    assert.same({ "config.lua:2: cluster.x: unknown key" }, problems(
      "local t = { brokers = 'a:1' }\nt.x = t return { cluster = t }"))
  end)
end)

describe("config counts CPUs", function()
  local function quota(groups, files)
    local folder = directory.with(files)
    return config.cpu_quota(directory.write(folder .. "/groups", groups), folder)
  end

  it("by the quota of the control group, rounded up", function()
    assert.equal(2, quota("0::/a\n", { ["a/cpu.max"] = "150000 100000\n" }))
    assert.equal(1, quota("0::/a\n", { ["a/cpu.max"] = "10000 100000\n" }))
    assert.equal(4, quota("0::/\n", { ["cpu.max"] = "400000 100000\n" }))
    assert.equal(0, quota("0::/a\n", { ["a/cpu.max"] = "max 100000\n" }))
    assert.equal(0, quota("0::/a\n", {}))
  end)

  it("by the least quota of the groups above", function()
    assert.equal(2, quota("0::/a/b/c\n", { ["a/cpu.max"] = "200000 100000\n",
      ["a/b/cpu.max"] = "max 100000\n", ["a/b/c/cpu.max"] = "800000 100000\n" }))
  end)

  it("in version 1 too", function()
    local groups = "9:memory:/m\n4:cpu,cpuacct:/a\n1:name=systemd:/s\n"
    assert.equal(3, quota(groups, { ["cpu/a/cpu.cfs_quota_us"] = "250000\n",
      ["cpu/a/cpu.cfs_period_us"] = "100000\n" }))
    assert.equal(0, quota(groups, { ["cpu/a/cpu.cfs_quota_us"] = "-1\n",
      ["cpu/a/cpu.cfs_period_us"] = "100000\n" }))
    assert.equal(0, quota("3:cpuset:/a\n", { ["cpu/a/cpu.cfs_quota_us"] = "250000\n",
      ["cpu/a/cpu.cfs_period_us"] = "100000\n" }))
  end)

  it("as many as the process may run on", function()
    local nproc = io.popen("nproc"):read("n")
    assert.is_true(config.cpu_count() >= 1 and config.cpu_count() <= nproc)
    assert.equal(0, config.cpu_quota("/nowhere", "/nowhere"))
  end)
end)

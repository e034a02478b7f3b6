local directory = require("spec.support.directory")
local process = require("spec.support.process")
local wait = require("spec.support.wait")

-- Runs busted as the Makefile does, on these files alone.
local function command_of(files)
  local folder = directory.with(files)
  directory.make(folder .. "/reports")
  local environment = { LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH"),
    LD_PRELOAD = os.getenv("LD_PRELOAD"), ASAN_OPTIONS = os.getenv("ASAN_OPTIONS"),
    LAGOON_BUILD = folder, LAGOON_SPEC_REPORTS = folder .. "/reports" }
  return { "lua5.4", "/usr/bin/busted", "-o", "spec/support/summary.lua",
    "--helper=spec/support/setup.lua", folder }, { env = environment }
end

local function run(files)
  local command, options = command_of(files)
  local one = process.run(command, options)
  return one.code, one:stdout():match("([^\n]*)\n$"), one:stdout()
end

describe("a run of specs", function()
  it("ends with its numbers", function()
    local code, last = run({ ["a_spec.lua"] = [[
      it("passes", function() end)
      it("passes too", function() end)
      it("waits", function() pending("a reason") end)
    ]] })
    assert.are.same({ 0, "2 passed, 0 failed, 1 skipped" }, { code, last })
  end)

  it("fails by its exit status however many failed", function()
    local code, last = run({ ["a_spec.lua"] = [[
      for number = 1, 256 do
        it("fails " .. number, function() assert.is_true(false) end)
      end
    ]] })
    assert.are.same({ 1, "0 passed, 256 failed" }, { code, last })
  end)

  it("counts errors as failures: in a spec, in a setup, in a file", function()
    local code, last = run({
      ["a_spec.lua"] = "it('raises', function() error('x') end)",
      ["b_spec.lua"] = "describe('d', function() setup(function() error('x') end) it('i', " ..
        "function() end) end)",
      ["c_spec.lua"] = "it('",
    })
    assert.are.same({ 1, "0 passed, 3 failed" }, { code, last })
  end)

  it("without specs is a failure", function()
    local code, last = run({ ["a_spec.lua"] = "describe('nothing', function() end)" })
    assert.are.same({ 1, "0 passed, 0 failed" }, { code, last })
  end)

  it("shows the output of a failing spec's processes, and not of a passing one's", function()
    local code, _, text = run({ ["a_spec.lua"] = [[
      local process = require("spec.support.process")
      it("passes", function()
        process.start({ "sh", "-c", "echo all is well; exec sleep 60" }):wait_for("well")
      end)
      it("fails", function()
        process.start({ "sh", "-c", "echo the cause; exec sleep 60" }):wait_for("cause")
        error("x")
      end)
    ]] })
    assert.are.equal(1, code)
    assert.is_truthy(text:find("\nthe cause\n", 1, true), text)
    assert.is_nil(text:find("\nall is well\n", 1, true), text)
  end)

  it("fails when a sanitizer wrote a report, and shows it", function()
    local code, last, text = run({ ["a_spec.lua"] = [[
      it("passes", function()
        local reports = os.getenv("LAGOON_SPEC_REPORTS")
        require("spec.support.directory").write(reports .. "/asan.1", "heap-use-after-free\n")
      end)
    ]] })
    assert.are.same({ 1, "1 passed, 1 failed" }, { code, last })
    assert.is_truthy(text:find("heap-use-after-free", 1, true), text)
  end)

  it("leaves no process behind when it is killed", function()
    local command, options = command_of({ ["a_spec.lua"] = [[
      it("starts one and stays", function()
        local process = require("spec.support.process")
        local one = process.start({ "sh", "-c", "echo started; exec sleep 60" })
        one:wait_for("started")
        print("child " .. one.pid)
        io.stdout:flush()
        one:wait_exit(60000)
      end)
    ]] })
    local specs = process.start(command, options)
    local child = specs:wait_for("child (%d+)")
    specs:signal("sigkill")
    specs:wait_exit()
    wait.till("the end of the child", 5000, function()
      local stat = io.open(("/proc/%s/stat"):format(child))
      local state = stat and stat:read("a"):match("%) (%a)")
      if stat then
        stat:close()
      end
      return not state or state == "Z"
    end)
  end)
end)

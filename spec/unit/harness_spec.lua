local uv = require("luv")

local directory = require("spec.support.directory")
local output = require("spec.support.output")
local port = require("spec.support.port")
local process = require("spec.support.process")
local scope = require("spec.support.scope")
local wait = require("spec.support.wait")

local function shell(script, options)
  return process.start({ "sh", "-c", script }, options)
end

local function is_alive(pid)
  local stat = io.open(("/proc/%d/stat"):format(pid))
  if not stat then
    return false
  end
  local state = stat:read("a"):match("%) (%a)")
  stat:close()
  return state ~= "Z"
end

describe("wait", function()
  it("gives what the condition gave", function()
    local rounds = 0
    local first, second = wait.till("three rounds", 1000, function()
      rounds = rounds + 1
      return rounds == 3 and "done", rounds
    end)
    assert.are.same({ "done", 3 }, { first, second })
  end)

  it("says what it waited for and how that stood", function()
    assert.has_error(function()
      wait.till("the impossible", 0, function()
        return false, "not yet"
      end)
    end, "waited 0 ms for the impossible: not yet")
  end)

  it("passes on what the condition raises", function()
    assert.has_error(function()
      wait.till("anything", 1000, function()
        error("broken", 0)
      end)
    end, "broken")
  end)
end)

describe("a process", function()
  it("is heard byte for byte, each stream by itself", function()
    local one = process.run({ "printf", "a\\000b\\377\\n\\nlast" })
    assert.are.equal("a\0b\255\n\nlast", one:stdout())
    assert.are.same({ "a\0b\255", "", "last" }, one.output.lines)
    local both = process.run({ "sh", "-c", "echo out; echo err >&2; exit 3" })
    assert.are.same({ "out\n", "err\n", 3 }, { both:stdout(), both:stderr(), both.code })
  end)

  it("is read in linear time however long its lines are", function()
    local one = process.run({ "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x" }, nil, 10000)
    assert.are.equal(3000000, #one:stdout())
  end)

  it("gets its input and its environment", function()
    local one = process.run({ "sh", "-c", "cat; echo $WORD; echo ${GONE-unset}" },
      { input = "text\n", env = { WORD = "word", GONE = false } })
    assert.are.equal("text\nword\nunset\n", one:stdout())
  end)

  it("is waited for line by line, from the mark on", function()
    local one = shell("echo item 1; read line; echo item 2; read line", { input = true })
    assert.are.equal("1", one:wait_for("^item (%d)$"))
    one:mark()
    one:write("\n")
    assert.are.equal("item 2", one:wait_for("^item .*"))
    assert.are.equal(1, one:count("item"))
  end)

  it("that ends without the line is not waited for", function()
    local one = shell("echo something else; exit 4")
    local ok, message = pcall(one.wait_for, one, "^ready$", 60000)
    assert.is_false(ok)
    assert.is_truthy(message:find("exit code 4, and no line like", 1, true), message)
    assert.is_truthy(message:find("something else", 1, true), message)
  end)

  it("that is late is shown as far as it came", function()
    local one = shell("echo so far; exec sleep 60")
    one:wait_for("so far")
    local ok, message = pcall(one.wait_for, one, "^ready$", 1)
    assert.is_false(ok)
    assert.is_truthy(message:find("so far", 1, true), message)
  end)

  it("is killed when it does not heed SIGTERM", function()
    local one = shell("trap '' TERM; echo deaf; while :; do sleep 1; done")
    one:wait_for("deaf")
    local _, signal = one:stop(100)
    assert.are.equal(9, signal)
    assert.is_false(is_alive(one.pid))
  end)

  it("ends with the scope that it was started in", function()
    scope.open()
    local one = process.start({ "sleep", "60" })
    scope.close()
    assert.are.equal("killed by signal 15", one:how_it_ended())
  end)
end)

describe("a scope", function()
  it("undoes in reverse order, also what follows a failure", function()
    local order = {}
    scope.open()
    for number = 1, 3 do
      scope.defer(function()
        table.insert(order, number)
        assert(number ~= 2, "the second fails")
      end)
    end
    assert.has_error(scope.close, "the second fails")
    assert.are.same({ 3, 2, 1 }, order)
  end)

  it("removes its folders with all that is in them", function()
    scope.open()
    local path = directory.with({ ["a/b/c.txt"] = "text" })
    assert.are.equal("text", directory.read(path .. "/a/b/c.txt"))
    assert(uv.fs_symlink("/usr", path .. "/link"))
    scope.close()
    assert.is_nil((uv.fs_stat(path)))
    assert.is_truthy(uv.fs_stat("/usr"))
  end)
end)

describe("the tail of an output", function()
  it("cuts lines to what a person can read and counts those before", function()
    local one = output.new()
    one:add_lines(("first\nsecond\n%s\n"):format(("x"):rep(1000)))
    assert.are.equal("(1 lines before)\nsecond\n" .. ("x"):rep(400) .. " ...", one:tail(2))
  end)
end)

describe("a free port", function()
  it("is given once and can be listened on", function()
    local first, second = port.free(), port.free()
    assert.are_not.equal(first, second)
    local socket = uv.new_tcp()
    finally(function()
      socket:close()
    end)
    assert(socket:bind("127.0.0.1", first))
    assert(socket:listen(1, function() end))
  end)
end)

local globals = require("lagoon.globals")

local PROBED = { unpack = false, loadstring = false, jit = false, setfenv = false }

-- What is said of the files, each the source of NAME.lua.
local function check(sources)
  local files = {}
  for name, source in pairs(sources) do
    table.insert(files, { path = name .. ".lua", bytes = source })
  end
  table.sort(files, function(a, b) return a.path < b.path end)
  return globals.check(files, { print = 1, string = 1, table = 1, require = 1, _G = 1 },
    PROBED)
end

local function assert_clean(source)
  assert.same({}, check({ a = source }))
end

-- More constants than fit into an instruction.
local MANY = {}
for i = 1, 300 do
  MANY[i] = ("x = 'constant %d'\n"):format(i)
end
MANY = "local x\n" .. table.concat(MANY)

describe("the look at globals", function()
  it("finds names that nothing defines, with their lines and what may have been meant", function()
    assert.same({
      "a.lua:2: undefined global 'prnt', did you mean 'print'?",
      "a.lua:4: undefined global 'evnt'",
      "b.lua:1: undefined global 'strng', did you mean 'string'?",
    }, check({ a = "local x = 1\nprnt(x)\nreturn function(event)\n  return evnt.id\nend",
      b = "return strng.format" }))
  end)

  it("says how the library comes into a file", function()
    assert.same({
      [[a.lua:1: undefined global 'lagoon'; write local lagoon = require("lagoon") at the top]],
    }, check({ a = "return function() lagoon.sleep(1) end" }))
  end)

  it("finds globals that functions set, which handlers would share", function()
    assert.same({
      "a.lua:3: sets the global 'total', which no file declares; write local in front" },
      check({ a = "local M = {}\nfunction M.add(x)\n  total = x\nend\nreturn M" }))
  end)

  it("knows what any file sets at its top", function()
    assert.same({}, check({ a = "helper = 1\nfunction shared() end\n_G.other = 2",
      b = "return function() helper = helper + other; return shared() end" }))
  end)

  it("knows what is local, also a table of globals of the file's own", function()
    assert_clean("local x = 1\nreturn function() return x end")
    assert_clean("local _ENV = { y = 1 }\nz = y\nreturn function() return anything end")
    assert_clean("return function(...) local _ENV <const> = ... return anything end")
  end)

  it("sees through functions in functions and through many constants", function()
    assert.same({ "a.lua:1: undefined global 'deep'" },
      check({ a = "return function() return function() " ..
        "return function() return deep end end end" }))
    assert.same({
      "a.lua:302: undefined global 'far'",
      "a.lua:303: sets the global 'set_far', which no file declares; write local in front",
      "a.lua:303: undefined global 'read_far'",
    }, check({ a = MANY .. "print(far)\nreturn function() " .. MANY:gsub("\n", " ") ..
      " set_far = read_far end", b = MANY .. "defined_far = 1",
      c = "return defined_far" }))
  end)

  it("lets libraries ask for what other versions of Lua have", function()
    assert_clean("local unpack = table.unpack or unpack\nlocal load = loadstring or require\n" ..
      "if jit then print(jit and jit.version) end\nif setfenv ~= nil then print() end")
    assert_clean("return function() if jit then print() end end")
    assert.same({ "a.lua:1: undefined global 'unpack', did you mean 'table.unpack'?" },
      check({ a = "return unpack({})" }))
    assert.same({ "a.lua:1: undefined global 'evnt'" }, check({ a = "if evnt then print() end" }))
  end)

  it("says why a file does not compile, and goes on", function()
    assert.same({ "a.lua:2: unexpected symbol near <eof>", "b.lua:1: undefined global 'x'" },
      check({ a = "return (\n", b = "return x" }))
  end)

  it("has nothing to say of the scripts of this repository", function()
    local files = {}
    for path in io.popen("find lua scripts spec -name '*.lua' ! -name '*.d.lua'"):lines() do
      local file = assert(io.open(path, "rb"))
      table.insert(files, { path = path, bytes = file:read("a") })
      file:close()
    end
    local known = { describe = 1, it = 1, setup = 1, teardown = 1, before_each = 1, after_each = 1,
      pending = 1, lazy_setup = 1, finally = 1, spy = 1, stub = 1, insulate = 1, unit = 1,
      env = 1, secret = 1, file = 1, include = 1 }
    for name in pairs(_G) do
      known[name] = 1
    end
    assert(#files > 100)
    assert.same({}, globals.check(files, known, PROBED))
  end)
end)

local handling = require("spec.support.handling")
local unit = require("unit")

-- What is said of these scripts, problems and suspicions, without the folder; of a traceback only
-- that there is one.
local function said(consumer, scripts)
  local folder = handling.folder(consumer, scripts)
  local lists = { unit.bindings.problems(folder .. "/config.lua", folder .. "/scripts") }
  for _, list in ipairs(lists) do
    for i, text in ipairs(list) do
      text = text:gsub("\nstack traceback:\n\t.*%.lua:%d+: in .*", " +traceback")
      local first, last = text:find(folder .. "/", 1, true)
      while first do
        text = text:sub(1, first - 1) .. text:sub(last + 1)
        first, last = text:find(folder .. "/", 1, true)
      end
      list[i] = text
    end
  end
  return lists
end

local function assert_said(cases)
  for _, case in ipairs(cases) do
    local source, problem, suspicion = case[1], case[2], case[3]
    local scripts = type(source) == "table" and source or { ["handlers/a"] = source,
      ["services/inventory"] = "return {}", ["services/mail"] = "local x = = 1" }
    local expected = { problem and { problem } or {}, { suspicion } }
    if type(source) == "string" then
      table.insert(expected[2], "scripts/services/mail.lua:1: unexpected symbol near '='")
      if problem and problem:gsub(" %+traceback$", "") == expected[2][#expected[2]] then
        table.remove(expected[2])
      end
    end
    assert.same(expected, said(case.consumer or 'handlers = { A = "handlers.a" }', scripts))
  end
end

-- Lines of the config in handling: the consumer's keys begin on line 5.
local A = "config.lua:5: consumers.c.handlers.A: "

describe("a broken script", function()
  it("that does not compile is told with its line", function()
    assert_said({
      { "return function(\n", "scripts/handlers/a.lua:2: <name> or '...' expected near <eof>" },
      { "local x = 'abc\nreturn x", "scripts/handlers/a.lua:1: unfinished string near ''abc'" },
      { "return function()\n  if true\n  end\nend",
        "scripts/handlers/a.lua:3: 'then' expected near 'end'" },
      { "goto nowhere",
        "scripts/handlers/a.lua:1: no visible label 'nowhere' for <goto> at line 1" },
      { "local x <const> = 1\nx = 2",
        "scripts/handlers/a.lua:2: attempt to assign to const variable 'x'" },
      { "\27Lua", "scripts/handlers/a.lua: is compiled; lagoon reads Lua's source only" },
      { "require('services.mail')\nreturn print",
        "scripts/services/mail.lua:1: unexpected symbol near '=' +traceback" },
    })
  end)

  it("that raises at its top is told with its line and a traceback", function()
    assert_said({
      { "\nerror('no database')", "scripts/handlers/a.lua:2: no database +traceback" },
      { "local config = nil\nreturn config.handler",
        "scripts/handlers/a.lua:2: attempt to index " ..
        "a nil value (local 'config') +traceback" },
      { "error({ code = 7 })", "{\"code\":7} +traceback" },
      { "require('lagoon').producer('orders')", "scripts/handlers/a.lua:1: lagoon.producer: no " ..
        "producer 'orders' is declared in config.lua +traceback" },
      { "require('lagoon').sleep(1)", "scripts/handlers/a.lua:1: lagoon.sleep: cannot wait at " ..
        "the top of a file, only in a handler +traceback" },
      { "require('lagoon').producer('it'):publish('A', {})",
        "scripts/handlers/a.lua:1: publish: " ..
        "not at the top of a file, only in a handler +traceback" },
      { "local x = strng.format('a')", "scripts/handlers/a.lua:1: undefined global 'strng', " ..
        "did you mean 'string'? +traceback" },
      { "os.exit(1)", "scripts/handlers/a.lua:1: os.exit is not available: it would affect the " ..
        "whole process +traceback" },
    })
  end)

  it("that requires what is not there is told who asked, where it was looked, what was meant",
    function()
      local nowhere = "no scripts/%s.lua, no scripts/%s/init.lua, and no such module among the " ..
        "system's for Lua 5.4"
      local function missing(module, file, hint)
        return ("scripts/handlers/a.lua:1: module '%s' not found: there is "):format(module)
          .. nowhere:format(file, file) .. (hint or "") .. " +traceback"
      end
      assert_said({
        { "require('services.inventry')", missing("services.inventry", "services/inventry",
          ", did you mean 'services.inventory'?") },
        { "require('services/inventory')", missing("services/inventory", "services/inventory",
          ", did you mean 'services.inventory'?") },
        { "require('luasql.oracle')", missing("luasql.oracle", "luasql/oracle") },
      })
    end)

  it("that is not what the config wants is told with the config's line", function()
    local a = "module 'handlers.a' "
    local function handler(text)
      return ('handlers = { A = "%s" }'):format(text)
    end
    assert_said({
      { "", A .. a .. "must return a function, or a table with the function handle, it returns " ..
        "nothing" },
      { "return 5", A .. a .. "must return a function, or a table with the function handle, it " ..
        "returns number" },
      { "return { handel = print }", A .. a ..
        "returns a table without the function handle, did you mean 'handel'?" },
      { "return { created = print }",
        A .. a .. "returns a table without the function handle; to " ..
        "name another one of its functions write \"handlers.a:NAME\"" },
      { "return {}", A .. a .. "returns a table without the function handle" },
      { "return { handle = 5 }",
        A .. "module 'handlers.a': its handle must be a function, it is " ..
        "a number" },
      { "return { handle = print, on_load = 5 }",
        A .. "module 'handlers.a': its on_load must be " ..
        "a function, it is a number" },
      { "return { paid = print }", A .. a .. "has no 'piad', did you mean 'paid'?",
        consumer = handler("handlers.a:piad") },
      { "return print", A .. a .. "must return a table that has 'paid', it returns function",
        consumer = handler("handlers.a:paid") },
      { "return { paid = 5 }", A .. "'paid' of " .. a .. "must be a function, or a table with " ..
        "the function handle, it is a number", consumer = handler("handlers.a:paid") },
      { "return print", A .. "no file defines the module 'handlers.b': there is no " ..
        "scripts/handlers/b.lua, did you mean 'handlers.a'?", consumer = handler("handlers.b") },
      { "return print", "config.lua:5: consumers.c.handler: no file defines the module 'any': " ..
        "there is no scripts/any.lua", consumer = 'handler = "any"' },
      { "return print", "config.lua:5: consumers.c.middlewares[2]: no file defines the module " ..
        "'trace': there is no scripts/trace.lua",
        consumer = handler("handlers.a") .. ', middlewares = { "handlers.a", "trace" }' },
      { "return print", "config.lua:5: consumers.c.codec: module 'services.inventory' returns a " ..
        "table without the function decode",
        consumer = handler("handlers.a") .. ', codec = "services.inventory"' },
      { "return print", "config.lua:5: consumers.c.codec: module 'handlers.a' must return a " ..
        "table with the function decode, it returns function",
        consumer = handler("handlers.a") .. ', codec = "handlers.a"' },
    })
  end)

  it("is told together with all others, each once", function()
    assert.same({ {
      "scripts/b.lua:1: bad b +traceback",
      "config.lua:5: consumers.c.handlers.D: no file defines the module 'd': there is no " ..
        "scripts/d.lua, did you mean 'a'?",
      "scripts/e.lua:1: unexpected symbol near <eof>",
    }, {} }, said('handlers = { A = "a", B = "b", C = "c", D = "d" }, handler = "e"', {
      a = "require('b') return print", b = "error('bad b')", c = "return require('b')",
      e = "return (",
    }))
  end)
end)

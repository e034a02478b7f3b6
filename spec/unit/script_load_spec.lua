local directory = require("spec.support.directory")
local handling = require("spec.support.handling")
local unit = require("unit")

local record = handling.record

-- Each writes its name into a file.
local NOTE = [[
local M = {}
function M.note(text)
  local file = assert(io.open("%s", "a"))
  file:write(text .. " ")
  file:close()
end
return M
]]

local function hooks(name, body)
  return ([[
    local note = require("note").note
    note("top-%s")
    return { handle = function() note("handle-%s") end,
      on_load = function() note("load-%s") %s end,
      on_unload = function() note("unload-%s") end }
  ]]):format(name, name, name, body or "", name)
end

local function run(consumer, scripts, ...)
  local path = directory.new() .. "/notes"
  directory.write(path, "")
  scripts.note = NOTE:format(path)
  local results = table.pack(handling.handle(consumer, scripts, ...))
  return directory.read(path), table.unpack(results, 1, results.n)
end

describe("a module's on_load and on_unload", function()
  it("run when the state begins and ends, once for each module", function()
    assert.equal("top-m top-a top-b load-m load-a load-b handle-a handle-b unload-b unload-a " ..
      "unload-m ", (run([[handlers = { A = "a", B = "b", C = "a" }, middlewares = { "m" }]], {
        a = hooks("a"), b = hooks("b"),
        m = hooks("m"):gsub("handle = function%(%)[^,]*,",
          "handle = function(event, context, next) return next(event, context) end,"),
      }, record("A", "1"), record("B", "1"))))
  end)

  it("run for a module of which only members are handlers", function()
    assert.equal("load unload ", (run('handlers = { A = "a:one", B = "a:two" }', {
      a = [[
        local note = require("note").note
        return { one = print, two = print, on_load = function() note("load") end,
          on_unload = function() note("unload") end }
      ]],
    })))
  end)

  it("fail the state, and only what was loaded is unloaded", function()
    local notes, result, message = run('handlers = { A = "a", B = "b" }', {
      a = hooks("a"), b = hooks("b", "error('no database')"),
    })
    assert.equal("top-a top-b load-a load-b unload-a ", notes)
    assert.is_nil(result)
    assert.matches("/b.lua:4: no database\nstack traceback:", message, 1, true)
    notes, result, message = run('handlers = { A = "a" }', { a = hooks("a",
      "do return nil, 'no database' end") })
    assert.equal("top-a load-a ", notes)
    assert.is_nil(result)
    assert.equal("on_load: no database", message)
  end)

  it("do not run when the scripts are only checked", function()
    local path = directory.new() .. "/notes"
    directory.write(path, "")
    local folder = handling.folder('handlers = { A = "a" }',
      { a = hooks("a"), note = NOTE:format(path) })
    assert.is_true(unit.bindings.check(folder .. "/config.lua", folder .. "/scripts"))
    assert.equal("top-a ", directory.read(path))
  end)

  it("can neither wait nor publish", function()
    local function raised(body)
      local _, _, message = run('handlers = { A = "a" }', { a = ([[
        local lagoon = require("lagoon")
        return { handle = print, on_load = function() %s end }
      ]]):format(body) })
      return (message:match("a.lua:2: ([^\n]*)"))
    end
    assert.equal("lagoon.sleep: cannot wait in on_load or on_unload, only in a handler",
      raised("lagoon.sleep(1)"))
    assert.equal("publish: not in on_load or on_unload, only in a handler",
      raised("lagoon.producer('it'):publish('A', {})"))
  end)
end)

describe("a coroutine made at the top of a file", function()
  it("is under no limit of the load when a handler runs it", function()
    local outcome, failure = handling.handle('handlers = { A = "a" }', { a = [[
      local co = coroutine.create(function()
        while true do
          for _ = 1, 1e6 do end
          coroutine.yield()
        end
      end)
      return function()
        coroutine.resume(co)
        return nil, tostring((debug.gethook(co)))
      end
    ]] }, record("A", "1"))
    assert.same({ "failed", "nil" }, { outcome, failure })
  end)
end)

local handling = require("spec.support.handling")

local record = handling.record

-- Each puts its name in front of and behind what the next one gives.
local function wrapping(name)
  return ([[return function(event, context, next)
    event.trail = (event.trail or "") .. "%s"
    local _, text = next(event, context)
    return nil, text .. "%s"
  end]]):format(name, name:upper())
end

local HANDLER = "return function(event) return nil, event.trail .. '!' end"

describe("a consumer's middlewares", function()
  it("stand around every handler, the outermost first", function()
    local scripts = { one = wrapping("a"), two = wrapping("b"), h = HANDLER }
    assert.same({ "failed", "ab!BA", "failed", "ab!BA" }, { handling.handle(
      'handlers = { A = "h" }, handler = "h", middlewares = { "one", "two" }', scripts,
      record("A", "{}"), record("B", "{}")) })
    assert.same({ "failed", "ba!AB" }, { handling.handle(
      'handlers = { A = "h" }, middlewares = { "two", "one" }', scripts, record("A", "{}")) })
  end)

  it("may change the event, wrap the context, and not call next", function()
    local scripts = {
      change = [[return function(event, context, next)
        if event.stop then return end
        local wrapped = setmetatable({ tenant = "t" }, { __index = context })
        return next({ n = event.n + 1 }, wrapped)
      end]],
      h = [[return function(event, context)
        return nil, event.n .. context.tenant .. context.type
      end]],
    }
    assert.same({ "failed", "2tA", "done", nil }, { handling.handle(
      'handlers = { A = "h" }, middlewares = { "change" }', scripts,
      record("A", '{"n":1}'), record("A", '{"stop":true}')) })
  end)

  it("leave a failure a failure when they forget to return what next gave", function()
    local scripts = {
      forgets = "return function(event, context, next) next(event, context) end",
      forgives = "return function(event, context, next) next(event, context) return true end",
      h = "return function() return nil, 'no stock' end",
    }
    assert.same({ "failed", "no stock" }, { handling.handle(
      'handlers = { A = "h" }, middlewares = { "forgets", "forgets" }', scripts,
      record("A", "{}")) })
    assert.same({ "done" }, { handling.handle(
      'handlers = { A = "h" }, middlewares = { "forgives" }', scripts, record("A", "{}")) })
  end)

  it("are told when they give next no context", function()
    local outcome, failure = handling.handle('handlers = { A = "h" }, middlewares = { "m" }', {
      m = "return function(event, _, next)\n  return next(event)\nend", h = HANDLER },
      record("A", "{}"))
    assert.equal("failed", outcome)
    assert.matches("/m.lua:1: this middleware gives next no context: " ..
      "return next(event, context)\n", failure, 1, true)
  end)

  it("may be members and tables of modules, and catch what handlers raise", function()
    local scripts = {
      guards = [[return { catch = { handle = function(event, context, next)
        local ok, message = pcall(next, event, context)
        return nil, "caught " .. tostring(message)
      end } }]],
      h = "return function() error('bad', 0) end",
    }
    assert.same({ "failed", "caught bad" }, { handling.handle(
      'handlers = { A = "h" }, middlewares = { "guards:catch" }', scripts, record("A", "{}")) })
  end)
end)

local directory = require("spec.support.directory")
local unit = require("unit")

local CONFIG = [[
return {
  cluster = { brokers = "localhost:9092" },
  consumers = { it = { topic = "orders", group = "it", handler = "handler" } },
}
]]

describe("lagoon.shared", function()
  ---@return string? # what the body, of a handler with a `store`, fails with
  local function run(body)
    local path = directory.with({
      ["config.lua"] = CONFIG,
      ["scripts/handler.lua"] = ([[
        local lagoon = require("lagoon")
        local store = lagoon.shared("it")
        return function()
          %s
        end]]):format(body),
    })
    local _, failure = unit.bindings.handle(path .. "/config.lua", path .. "/scripts",
      { value = "{}" })
    return failure and failure:match("[^\n]*"):gsub("^.-handler.lua:%d+: ", "")
  end

  it("keeps every plain value as it is, under text or an integer", function()
    assert.is_nil(run([[
      for i, value in ipairs({ 1, 2.0, 0.5, math.mininteger, "", "a\0b", true, false }) do
        store:set(i, value)
        local got = lagoon.shared("it"):get(tostring(i))
        assert(got == value and math.type(got) == math.type(value), i)
      end
      assert(store:get("other") == nil and lagoon.shared("two"):get(1) == nil)
      store:set(1, nil)
      assert(store:get(1) == nil)
      assert(store:delete(2) == true and store:delete(2) == false)
      assert(store:add("new", 1) == true and store:add("new", 2) == false)
      assert(store:incr("n") == 1 and store:incr("n", 5) == 6 and store:incr("n", -0.5) == 5.5)
      assert(store:incr("m", 1, { init = 41, ttl = "1h" }) == 42)
      assert(lagoon.shared("cache", { evict = true }):incr("n") == 1)]]))
  end)

  it("says what is wrong with a call", function()
    local TTL = 'ttl: a duration is written like "250ms", "30s" or "5m", got "soon"'
    for body, sentence in pairs({
      ["store:set({}, 1)"] = "set: the key must be a string or an integer, got table",
      ["store:set(0/0, 1)"] = "set: the key must be a string or an integer, got -nan",
      ["store:get(1.5)"] = "get: the key must be a string or an integer, got 1.5",
      ["store:get()"] = "get: the key must be a string or an integer, got no value",
      ["store:set(('x'):rep(1025), 1)"] = "set: the key has 1025 bytes, at most 1024 are possible",
      ["store:set('k', {})"] = "set: a table is no plain value: store its fields under keys of " ..
        "their own, or the text that lagoon.json.encode makes of it",
      ["store:set('k', print)"] =
        "set: the value must be a string, a number or a boolean, got function",
      ["store:add('k')"] = "add: the value must be a string, a number or a boolean, got nil",
      ["store:set('k', ('x'):rep(1 << 20 | 1))"] =
        "set: the value has 1048577 bytes, at most 1048576 are possible",
      ["store:set('k', 1, 5)"] = "set: options must be a table, got number",
      ["store:set('k', 1, { tll = 5 })"] = "set: unknown option 'tll': there are: ttl",
      ["store:set('k', 1, { ttl = 'soon' })"] = "set: " .. TTL,
      ["store:set('k', 1, { ttl = 0 })"] = "set: ttl must be longer than nothing",
      ["store:incr('k', '1')"] = "incr: what is added must be a number, got string",
      ["store:incr('k', 1/0)"] = "incr: what is added must be a finite number, got inf",
      ["store:incr('k', 1, { init = 'x' })"] = "incr: init must be a number, got string",
      ["store:set('k', 'x') store:incr('k')"] = "incr: what is stored under the key is no number",
      ["store:set('k', math.maxinteger) store:incr('k')"] =
        "incr: the sum is larger than an integer can be",
    }) do
      assert.equal("lagoon.shared 'it': " .. sentence, run(body), body)
    end
    for body, sentence in pairs({
      ["store.get('k')"] = ": get is called with a colon: store:get(...)",
      ["store:increment('k')"] =
        " has no method 'increment': there are get, set, add, incr, delete",
      ["lagoon.shared()"] = ": the name must be a string, got nil",
      ["lagoon.shared('')"] = ": a name has 1 to 128 bytes",
      ["lagoon.shared('a\\0b')"] = ": the name must not contain a zero byte",
      ["lagoon.shared('a', true)"] = ": options must be a table, got boolean",
      ["lagoon.shared('a', { evcit = true })"] = ": unknown option 'evcit': there is evict",
      ["lagoon.shared('a', { evict = 1 })"] = ": evict must be true or false",
    }) do
      assert.equal("lagoon.shared" .. sentence, run(body), body)
    end
  end)
end)

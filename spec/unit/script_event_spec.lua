local handling = require("spec.support.handling")

local record = handling.record

-- The outcome and failure of one record, with a handler that fails with what it got.
local function tell(consumer, ...)
  return handling.handle(consumer, { a = handling.TELL, b = [[return function() end]] }, ...)
end

local function assert_told(expected, consumer, given)
  local outcome, failure = tell(consumer, given)
  assert.same({ "failed", expected }, { outcome, failure })
end

describe("the type of a record", function()
  it("is the last header of that name", function()
    assert_told('{"event":{"type":"B"},"type":"A"}', 'handlers = { A = "a", B = "b" }',
      { value = '{"type":"B"}', headers = { { "Message-Type", "B" }, { "Message-Type", "A" } } })
    assert_told('{"event":1,"type":"A"}', 'type_header = "t", handlers = { A = "a" }',
      { value = "1", headers = { { "t", "A" } } })
  end)

  it("is the event's field where there is no header", function()
    assert_told('{"event":{"type":"A"},"type":"A"}', 'handlers = { A = "a" }',
      record(nil, '{"type":"A"}'))
    assert_told('{"event":{"meta":{"kind":"A"}},"type":"A"}',
      'handlers = { A = "a" }, type_field = "meta.kind"', record(nil, '{"meta":{"kind":"A"}}'))
    assert_told('{"event":{"type":"A"},"type":"A"}', 'handlers = { A = "a" }',
      { value = '{"type":"A"}', headers = { { "Message-Type", nil } } })
  end)

  it("is none when neither is there or is text", function()
    local reason = "the record has no type: no header 'Message-Type' and no field 'type'"
    for _, value in ipairs({ "{}", '{"type":1}', '"A"', "[]" }) do
      assert.same({ "invalid", reason }, { tell('handlers = { A = "a" }', record(nil, value)) })
    end
    assert.same({ "invalid", reason }, { tell('handlers = { A = "a" }', record(nil, nil)) })
    assert.same({ "invalid", "the record has no type: no header 'Message-Type'" },
      { tell('handlers = { A = "a" }, type_field = false', record(nil, '{"type":"A"}')) })
  end)

  it("may be a .NET type, whose whole name is looked up before its last one", function()
    for _, type in ipairs({ "Shop.Events.OrderPaid, Shop", "Shop.Events.OrderPaid",
      "Shop.Events.OrderPaid, Shop, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null",
      "Shop.Events+OrderPaid, Shop.Domain", "OrderPaid, Shop", "OrderPaid" }) do
      assert_told(('{"event":1,"type":"%s"}'):format(type), 'handlers = { OrderPaid = "a" }',
        record(type, "1"))
    end
    assert.equal("done", (tell(
      'handlers = { OrderPaid = "a", ["Shop.Events.OrderPaid, Shop"] = "b" }',
      record("Shop.Events.OrderPaid, Shop", "1"))))
    assert_told('{"event":{"type":"Shop.A, Shop"},"type":"Shop.A, Shop"}',
      'handlers = { A = "a" }', record(nil, '{"type":"Shop.A, Shop"}'))
    for _, type in ipairs({ "Shop.Events.", "Shop.OrderPaid2, Shop", ", Shop", "" }) do
      assert.same({ "unknown type", type }, { tell('handlers = { OrderPaid = "a" }',
        record(type, "1")) })
    end
  end)
end)

describe("the handler of a record", function()
  it("is skipped over by types that nobody handles, which are not even decoded", function()
    assert.same({ "unknown type", "C" }, { tell('handlers = { A = "a" }', record("C", "no JSON")) })
    assert.same({ "unknown type", "C" }, { tell('handlers = { A = "a" }',
      record(nil, '{"type":"C"}')) })
  end)

  it("is `handler` for every record that `handlers` does not take", function()
    local consumer = 'handlers = { B = "b" }, handler = "a"'
    assert.equal("done", (tell(consumer, record("B", "1"))))
    assert_told('{"event":1,"type":"C"}', consumer, record("C", "1"))
    assert_told('{"event":{"type":"C"},"type":"C"}', consumer, record(nil, '{"type":"C"}'))
    assert_told('{"event":[1]}', consumer, record(nil, "[1]"))
    assert_told("{}", consumer, record(nil, nil))
    assert_told('{"event":1,"type":"C"}', 'handler = "a"', record("C", "1"))
  end)

  it("may be a member of what its module returns, or its table's handle", function()
    local scripts = {
      orders = [[
        local M = {}
        function M.created() return nil, "created" end
        M.paid = { handle = function() return nil, "paid" end }
        M.handle = function() return nil, "handle" end
        return M
      ]],
    }
    local outcomes = { handling.handle([[handlers = {
      Created = "orders:created", Paid = "orders:paid", Other = "orders" }]], scripts,
      record("Created", "1"), record("Paid", "1"), record("Other", "1")) }
    assert.same({ "failed", "created", "failed", "paid", "failed", "handle" }, outcomes)
  end)
end)

describe("the event of a record", function()
  it("is without the null fields, unless nulls are kept", function()
    local value = '{"a":null,"b":[null],"c":{"d":null}}'
    assert_told('{"event":{"b":[null],"c":{}},"type":"A"}', 'handlers = { A = "a" }',
      record("A", value))
    assert_told('{"event":' .. value .. ',"type":"A"}', 'handlers = { A = "a" }, nulls = "keep"',
      record("A", value))
  end)

  it("is nil for a tombstone, with every codec", function()
    for _, codec in ipairs({ "json", "raw", "cjson", "code" }) do
      assert.same({ "failed", '{"type":"A"}' }, { handling.handle(
        ('handlers = { A = "a" }, codec = "%s"'):format(codec), { a = handling.TELL,
          code = "return { decode = error }" }, record("A", nil)) })
    end
  end)

  it("is not asked for when tombstones are skipped", function()
    assert.same({ "skipped", nil, "skipped", nil, "unknown type", "B", "failed",
      '{"event":{},"type":"A"}' }, { tell(
      'handlers = { A = "a" }, handler = nil, on_tombstone = "skip"', record("A", nil),
      record("A", nil), record("B", nil), record("A", "{}")) })
    assert.equal("skipped", (tell('handler = "a", on_tombstone = "skip"', record(nil, nil))))
  end)

  it("is the value's bytes with the codec raw", function()
    local outcome, failure = handling.handle('handler = "a", codec = "raw"',
      { a = "return function(event) return nil, #event .. event:gsub('%c', '!') end" },
      { value = "{\0\xff" })
    assert.same({ "failed", "3{!\xff" }, { outcome, failure })
  end)

  it("is what lua-cjson makes of it with the codec cjson", function()
    local scripts = { a = [[return function(event)
      return nil, math.type(event.n) .. tostring(event.null == require("cjson").null)
    end]] }
    local outcome, failure = handling.handle('handlers = { A = "a" }, codec = "cjson"', scripts,
      record("A", '{"n":1,"null":null}'))
    assert.same({ "failed", "floattrue" }, { outcome, failure })
    outcome, failure = handling.handle('handlers = { A = "a" }, codec = "cjson"', scripts,
      record("A", "{"))
    assert.equal("invalid", outcome)
    assert.equal("the codec cannot decode the value: Expected object key string but found T_END " ..
      "at character 2", failure)
  end)

  it("is what the decode function of a module returns, which may refuse the value", function()
    local scripts = { a = handling.TELL, code = [[
      return { decode = function(bytes, context)
        if bytes == "raise" then error("bad bytes") end
        if bytes == "refuse" then return nil, "worse bytes" end
        if bytes == "false" then return false end
        return { type = "A", bytes = bytes, topic = context.topic, key = context.key }
      end }
    ]] }
    local results = { handling.handle('handlers = { A = "a" }, handler = "a", codec = "code"',
      scripts, record("A", "x"), { value = "y", key = "k" }, record("A", "raise"),
      record("A", "refuse"), record("A", "false")) }
    assert.same({
      "failed", '{"event":{"bytes":"x","topic":"orders","type":"A"},"type":"A"}',
      "failed", '{"event":{"bytes":"y","key":"k","topic":"orders","type":"A"},"type":"A"}',
      "invalid", "the codec cannot decode the value: ", "invalid",
      "the codec cannot decode the value: worse bytes", "failed", '{"event":false,"type":"A"}',
    }, { results[1], results[2], results[3], results[4], results[5],
      (results[6]:gsub("value: .*code.lua:2: bad bytes$", "value: ")), table.unpack(results, 7) })
  end)
end)

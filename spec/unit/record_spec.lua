local abort = require("unit").abort
local record = require("unit").record

---The fields of a record that is freed again.
local function fields_of(made)
  local fields = record.fields(made)
  record.free(made)
  return fields
end

describe("record", function()
  it("holds copies of key and value, byte for byte", function()
    local fields = fields_of(record.make("orders", 3, 1234, "a\0b", "value\0\255"))
    assert.equal("orders", fields.topic)
    assert.equal(3, fields.partition)
    assert.equal(1234, fields.offset)
    assert.equal("a\0b", fields.key)
    assert.equal("value\0\255", fields.value)
    assert.equal(1, fields.attempt)
    assert.equal(-1, fields.timestamp_ms)
    assert.same({}, fields.headers)
  end)

  it("tells a null key from an empty one, and a tombstone from an empty value", function()
    local null = fields_of(record.make("orders", 0, 0, nil, nil))
    assert.is_nil(null.key)
    assert.is_nil(null.value)
    local empty = fields_of(record.make("orders", 0, 0, "", ""))
    assert.equal("", empty.key)
    assert.equal("", empty.value)
  end)

  it("is outside the dispatcher when new", function()
    local made = record.make("orders", 0, 0, "k", "v")
    assert.equal("outside", record.state(made))
    record.free(made)
  end)

  it("knows what it takes of the window", function()
    local small = fields_of(record.make("orders", 0, 0, nil, ""))
    local large = fields_of(record.make("orders", 0, 0, nil, ("x"):rep(100000)))
    assert.equal(100000, large.block_bytes - small.block_bytes)
    assert.is_true(small.block_bytes < 1024)
  end)

  it("has a name for messages", function()
    local made = record.make("orders", 3, 1234)
    assert.equal("orders[3]@1234", record.name(made))
    record.free(made)
    made = record.make(("t"):rep(249), 2147483647, 9223372036854775807)
    assert.equal(("t"):rep(249) .. "[2147483647]@9223372036854775807", record.name(made))
    record.free(made)
  end)

  it("goes with the failure that was written into it", function()
    local made = record.make("orders", 0, 0)
    record.fail(made, "handler failed")
    record.free(made)
  end)

  it("is not freed while a delivery points to it", function()
    assert.is_true(abort.of(function()
      local made = record.make("orders", 0, 0)
      record.fail(made, "handler failed", 1)
      record.free(made)
    end))
  end)

  describe("copied from a message of librdkafka", function()
    it("has its key, value, partition and timestamp", function()
      local fields = fields_of(record.copy("a\0b", "value", 1700000000123))
      assert.equal("a\0b", fields.key)
      assert.equal("value", fields.value)
      assert.equal(3, fields.partition)
      -- The embedded broker of some versions stamps every message with 1234, as a topic may with
      -- the time of appending.
      local stamp = fields.timestamp_ms
      assert.is_true(stamp == 1700000000123 or stamp == 1234, tostring(stamp))
      assert.same({}, fields.headers)
    end)

    it("has no timestamp where the message has none", function()
      assert.equal(-1, fields_of(record.copy("k", "v")).timestamp_ms)
    end)

    it("tells a null key from an empty one, and a tombstone from an empty value", function()
      local null = fields_of(record.copy(nil, nil))
      assert.is_nil(null.key)
      assert.is_nil(null.value)
      local empty = fields_of(record.copy("", ""))
      assert.equal("", empty.key)
      assert.equal("", empty.value)
    end)

    it("has all headers in their order, null values told from empty ones", function()
      local fields = fields_of(record.copy("k", "v", nil, {
        { "type", "OrderPaid" }, { "empty", "" }, { "null", false }, { "bytes", "a\0b" },
        { "type", "again" },
      }))
      assert.same({
        { name = "type", value = "OrderPaid", is_null = false },
        { name = "empty", value = "", is_null = false },
        { name = "null", value = "", is_null = true },
        { name = "bytes", value = "a\0b", is_null = false },
        { name = "type", value = "again", is_null = false },
      }, fields.headers)
      assert.equal("k", fields.key)
      assert.equal("v", fields.value)
    end)

    it("answers with the last header of a name", function()
      local made = record.copy("k", "v", nil, { { "a", "1" }, { "b", "2" }, { "a", "3" } })
      assert.equal("3", record.header(made, "a").value)
      assert.equal("2", record.header(made, "b").value)
      assert.is_nil(record.header(made, "c"))
      assert.is_nil(record.header(made, "A"))
      record.free(made)
    end)

    it("counts its headers into what it takes of the window", function()
      local bare = fields_of(record.copy("k", "v")).block_bytes
      local laden = fields_of(record.copy("k", "v", nil, { { "h", ("x"):rep(5000) } })).block_bytes
      assert.is_true(laden - bare >= 5000 and laden - bare < 5100)
    end)
  end)
end)

local json = require("cjson")

local unit = require("unit")

describe("json_writer", function()
  it("writes values of each kind within each other", function()
    assert.equal('[[],{"n":"t","more":[-9223372036854775808,true,null,{},null],"last":false}]',
      unit.json_writer.everything("n", "t"))
  end)

  it("writes any text so that it reads back", function()
    local bytes = {}
    for byte = 1, 127 do
      table.insert(bytes, string.char(byte))
    end
    for _, text in ipairs({ table.concat(bytes), "größer → 🌊", ("x"):rep(100) .. "\"" }) do
      local everything = unit.json_writer.everything(text, text)
      assert.is_nil(everything:find("\n"))
      assert.equal(text, json.decode(everything)[2][text])
    end
  end)

  it("puts a replacement where bytes are no UTF-8", function()
    assert.matches('"t":"a\xef\xbf\xbdb\xef\xbf\xbd\xef\xbf\xbd"',
      unit.json_writer.everything("t", "a\xffb\xc3\xc0"), 1, true)
  end)
end)

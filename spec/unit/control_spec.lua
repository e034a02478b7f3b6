local control = require("unit").control

local LEAD = "the request is not understood: "

describe("control_request", function()
  it("takes a flat object of texts, whole numbers, true and false", function()
    assert.same({ command = "a", text = "\"é\\\n", n = 12, low = -3, yes = 1, no = 0, empty = "" },
      control.request(' { "command":"a", "text" : "\\"\\u00e9\\\\\\n" ,"n":12,"low":-3,'
        .. '"yes":true,"no":false,"empty":""} ', "text n low yes no empty"))
    assert.same({}, control.request("{}", ""))
  end)

  it("says where anything else goes wrong", function()
    for line, message in pairs({
      [""] = "byte 0: expected an object",
      ["[]"] = "byte 0: expected an object",
      ["{"] = "byte 1: expected a string",
      ["{} {}"] = "byte 3: expected the end",
      ['{"a"}'] = "byte 4: expected a colon",
      ['{"a":1 "b":2}'] = "byte 7: expected a comma or }",
      ['{"a":1,}'] = "byte 7: expected a string",
      ['{"a":1'] = "byte 6: expected a comma or }",
      ['{"a":"x'] = "byte 7: expected UTF-8 without control characters",
      ['{"a":"\1"}'] = "byte 6: expected UTF-8 without control characters",
      ['{"a":"\xff"}'] = "byte 6: expected UTF-8 without control characters",
      ['{"a":"\\u0000"}'] = "byte 12: expected a text without NUL",
      ['{"a":{}}'] = "byte 5: expected a text, a whole number, true or false",
      ['{"a":1.5}'] = "byte 5: expected a text, a whole number, true or false",
      ['{"a":99999999999999999999}'] = "byte 5: expected a text, a whole number, true or false",
    }) do
      assert.same({ nil, LEAD .. message }, { control.request(line, "a b") }, line)
    end
    local many = {}
    for i = 1, 17 do
      many[i] = ('"m%d":1'):format(i)
    end
    local _, message = control.request("{" .. table.concat(many, ",") .. "}", "")
    assert.matches("expected no more members$", message)
  end)

  it("passes over nothing that is not known", function()
    assert.same({ nil, 'the lagoon that runs does not understand "skipp"' },
      { control.request('{"command":"resume","skipp":1}', "skip partition") })
  end)

  it("gives members of the kind that is asked for", function()
    assert.equal("x", control.member('{"a":"x"}', "a", true))
    assert.is_nil(control.member('{}', "a", true))
    assert.equal(0, control.member('{"a":0}', "a", false))
    assert.equal(-1, control.member('{}', "a", false))
    assert.same({ nil, '"a" has to be a text' }, { control.member('{"a":1}', "a", true) })
    for _, value in ipairs({ '"x"', "-1" }) do
      assert.same({ nil, '"a" has to be a whole number from 0' },
        { control.member('{"a":' .. value .. "}", "a", false) })
    end
  end)
end)

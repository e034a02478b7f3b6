local documents = require("spec.support.json_documents")
local unit = require("unit")

local find = unit.json_member.find

describe("the text of a member", function()
  it("is what stands there, whatever stands around it", function()
    for text, value in pairs({
      ['{"value":1}'] = "1",
      [' { "a" : {"value":2} ,\t"value" : [1, 2 ] , "b":[] } '] = "[1, 2 ]",
      ['{"value":"a\\"},\\\\"}'] = '"a\\"},\\\\"',
      ['{"a":"\\\\","value":{"b":"}"}}'] = '{"b":"}"}',
      ['{"v\\u0061lue":-1.5e3,"x":null}'] = "-1.5e3",
      ['{"value":1,"value":{}}'] = "{}",
      ['{"value":null\n}'] = "null",
    }) do
      assert.equal(value:match("^%s*(.-)%s*$"), find(text, "value"), text)
    end
  end)

  it("is none where there is no such member", function()
    for _, text in ipairs({ "{}", "[]", "7", '"value"', '{"valu":1,"values":2,"a":{"value":3}}',
      '["value",1]', '{"\\u0076alu":1}' }) do
      assert.is_nil(find(text, "value"), text)
    end
  end)

  it("is found in random documents", function()
    math.randomseed(7)
    for _ = 1, 5000 do
      local _, before = documents.next()
      local _, value = documents.next()
      local _, behind = documents.next()
      local text = ('{"a":%s, "value" : %s ,"b":%s}'):format(before, value, behind)
      assert.equal(value:match("^%s*(.-)%s*$"), find(text, "value"))
    end
  end)
end)

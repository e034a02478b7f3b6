local testing = require("lagoon.testing")

describe("a visitor", function()
  before_each(testing.reset)

  local function come(event)
    return testing.handle("@NAME@-greeter", { type = "VisitorCame", value = event })
  end

  it("is greeted by name", function()
    local outcome, published = come({ visitor_id = "v-1", name = "Ada" })
    assert.equal("done", outcome.result)
    assert.equal(1, #published)
    assert.equal("@NAME@-greetings", published[1].topic)
    assert.equal("VisitorGreeted", published[1].type)
    assert.equal("v-1", published[1].key)
    assert.same({ visitor_id = "v-1", text = "Hello, Ada!" }, published[1].event)
  end)

  it("needs a name", function()
    local outcome, published = come({ visitor_id = "v-2" })
    assert.same({ "failed", "a visitor without a name" }, { outcome.result, outcome.error })
    assert.same({}, published)
  end)
end)

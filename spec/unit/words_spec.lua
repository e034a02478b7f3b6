local of_config = require("lagoon.config.words")
local unit = require("unit")

local FLAGS = { "config", "scripts", "only", "key", "header", "timeout", "port", "topic" }

describe("the nearest word", function()
  it("is one a typing error away, or with the same beginning", function()
    for word, meant in pairs({ onyl = "only", Headers = "header", time = "timeout", prot = "port",
      conifg = "config", scrips = "scripts", kye = "key" }) do
      assert.equal(meant, unit.words.nearest(word, FLAGS))
    end
  end)

  it("is none when no word is near, none is there, or the word is no typing error", function()
    assert.is_nil(unit.words.nearest("brokers", FLAGS))
    assert.is_nil(unit.words.nearest("only", {}))
    assert.is_nil(unit.words.nearest(("only"):rep(100), FLAGS))
    assert.is_nil(unit.words.nearest("x", { ("x"):rep(61) }))
  end)

  it("is the same that a config's problems name", function()
    local letters = { "o", "n", "l", "y", "k", "e", "t" }
    for _ = 1, 2000 do
      local word = {}
      for i = 1, math.random(0, 7) do
        word[i] = letters[math.random(#letters)]
      end
      word = table.concat(word)
      assert.equal(of_config.nearest(word, FLAGS), unit.words.nearest(word, FLAGS), word)
    end
  end)
end)

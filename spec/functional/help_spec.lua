-- What lagoon says about itself.

local lagoon = require("spec.support.lagoon")

describe("lagoon", function()
  it("without a verb shows what there is, as help does, and is wrong usage", function()
    local bare, help = lagoon.run({}), lagoon.run({ "help" })
    assert.equal(2, bare.code)
    assert.equal(0, help.code)
    assert.equal(help:stdout(), bare:stdout())
    assert.equal(help:stdout(), lagoon.run({ "--help" }):stdout())
    for _, verb in ipairs({ "run", "dev", "broker", "check", "publish", "version", "help" }) do
      assert.matches("\n  lagoon " .. verb .. "%f[%W]", help:stdout())
    end
    assert.matches("Exit codes: 0 done, 1 .-%s2 .-%s3 .-%s4 .-%s5 .-%s6 ", help:stdout())
  end)

  it("shows all about a verb, each of its flags among it, by --help and by help VERB", function()
    for verb in lagoon.run({ "help" }):stdout():gmatch("\n  lagoon ([%l-]+)") do
      local shown = lagoon.run({ "help", verb }):stdout()
      local usage = shown:match("^usage: (lagoon " .. verb:gsub("%-", "%%-") ..
        "[^\n]*)\n\nIt %l+ .+%.\n\n")
      assert.is_string(usage, shown)
      for flag in usage:gmatch("%-%-[%l-]+") do
        assert.matches("\n  " .. flag:gsub("%-", "%%-") .. " .-%S", shown)
      end
      assert.matches("\n  %-%-help +shows this\n\nExit codes: 0 done", shown)
      for _, arguments in ipairs({ { verb, "--help" }, { verb, "-h" }, { verb, "--help", "x" } }) do
        local asked = lagoon.run(arguments)
        assert.same({ 0, shown, "" }, { asked.code, asked:stdout(), asked:stderr() })
      end
    end
  end)

  it("says which versions run", function()
    local version = lagoon.run({ "version" })
    assert.equal(0, version.code)
    assert.matches("^lagoon %d+%.%d+%.%d+ %(Lua 5%.4%.%d+, librdkafka %d+%.[%d.]+, " ..
      "libuv %d+%.[%d.]+%)\n$", version:stdout())
  end)
end)

local of = require("unit").policy.of

local function assert_all(cases)
  for i, case in ipairs(cases) do
    assert.same({ i, case[2], case[3] }, { i, of(case[1]) })
  end
end

describe("a policy", function()
  it("settles what was handled, and its strand goes on", function()
    assert_all({ { { outcome = "done" }, "settle", "release" } })
  end)

  it("lets a record that failed run again while retries are left, as the head of its strand",
    function()
      assert_all({
        { { outcome = "failed", retries = 2, attempt = 1 }, "retry", "keep" },
        { { outcome = "failed", retries = 2, attempt = 2 }, "retry", "keep" },
        { { outcome = "none", retries = 2, attempt = 2 }, "retry", "keep" },
      })
    end)

  it("gives up as it says when they are used up", function()
    assert_all({
      { { outcome = "failed", retries = 2, attempt = 3, give_up = "stop" }, "stop", "hold" },
      { { outcome = "failed", retries = 0, attempt = 1, give_up = "stop" }, "stop", "hold" },
      { { outcome = "failed", retries = 0, attempt = 1, give_up = "skip" }, "skip", "keep" },
      { { outcome = "failed", retries = 0, attempt = 1, give_up = "dead_letter" }, "dead_letter",
        "keep" },
    })
  end)

  it("does not count a run that was no attempt", function()
    assert_all({
      { { outcome = "failed", retries = 0, attempt = 1, is_uncounted = true }, "retry", "keep" },
      { { outcome = "failed", retries = 2, attempt = 9, is_uncounted = true }, "retry", "keep" },
    })
  end)

  it("gives back what the stop of the process interrupted, whatever the policy says of failures",
    function()
      assert_all({
        { { outcome = "interrupted", retries = 0, attempt = 1, give_up = "stop" }, "give_back",
          "keep" },
        { { outcome = "interrupted", retries = 9, attempt = 1, give_up = "skip" }, "give_back",
          "keep" },
      })
    end)

  it("never tries again what cannot get better", function()
    assert_all({
      { { outcome = "invalid", retries = 9 }, "stop", "hold" },
      { { outcome = "invalid", retries = 9, on_invalid = "skip" }, "skip", "release" },
      { { outcome = "invalid", retries = 9, on_invalid = "dead_letter" }, "dead_letter", "keep" },
      { { outcome = "unknown type", on_unknown_type = "dead_letter" }, "dead_letter", "keep" },
      { { outcome = "unknown type", retries = 9 }, "skip", "release" },
      { { outcome = "unknown type", retries = 9, on_unknown_type = "stop" }, "stop", "hold" },
    })
  end)

  it("does what the handler asked for", function()
    assert_all({
      { { outcome = "skipped", retries = 9 }, "skip", "release" },
      { { outcome = "dead letter", retries = 9 }, "dead_letter", "keep" },
    })
  end)
end)

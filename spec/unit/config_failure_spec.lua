local config_file = require("spec.support.config_file")

local good_but, problems = config_file.good_but, config_file.problems

local WORDS = '"dead_letter", "skip" or "stop"'

-- The group stands on line 8 of the good config.
local function with(text)
  return good_but('group = "g",', 'group = "g", ' .. text)
end

local function consumer(text)
  return config_file.good(with(text)).failures[1]
end

local function assert_refused(cases)
  for _, case in ipairs(cases) do
    assert.same({ "config.lua:8: consumers.c." .. case[2] }, problems(with(case[1] .. ",")))
  end
end

describe("config of failures", function()
  it("tries again ten times by default, then comes the dead letter", function()
    assert.same({ retries = 10, backoff_ms = 100, max_backoff_ms = 30000, jitter = true,
      give_up = "dead_letter", breaker = 20 }, consumer("").on_error)
  end)

  it("keeps the other defaults of a table given in part", function()
    assert.same({ retries = 3, backoff_ms = 2000, max_backoff_ms = 30000, jitter = false,
      give_up = "skip", breaker = 0 },
      consumer('on_error = { retries = 3, backoff = 2, jitter = false, give_up = "skip", ' ..
        "breaker = false },").on_error)
  end)

  it("takes a word for giving up at once", function()
    for _, word in ipairs({ "dead_letter", "skip", "stop" }) do
      local on_error = consumer(('on_error = "%s",'):format(word)).on_error
      assert.same({ 0, word }, { on_error.retries, on_error.give_up })
    end
  end)

  it("takes words for what cannot be handled", function()
    local function words(text)
      local c = consumer(text)
      return { c.on_invalid, c.on_unknown_type, c.on_tombstone }
    end
    assert.same({ "dead_letter", "skip", "handle" }, words(""))
    assert.same({ "skip", "stop", "skip" },
      words('on_invalid = "skip", on_unknown_type = "stop", on_tombstone = "skip",'))
  end)

  it("refuses other words, numbers and durations", function()
    assert_refused({
      { 'on_error = "ignore"', "on_error: must be " .. WORDS .. ', got "ignore"' },
      { 'on_error = "skp"',
        "on_error: must be " .. WORDS .. ", got \"skp\", did you mean 'skip'?" },
      { "on_error = 3", 'on_error: must be "dead_letter", "skip", "stop" or a table, got 3' },
      { 'on_error = { give_up = "retry" }',
        "on_error.give_up: must be " .. WORDS .. ', got "retry"' },
      { "on_error = { retrys = 3 }", "on_error.retrys: unknown key, did you mean 'retries'?" },
      { "on_error = { retries = -1 }",
        "on_error.retries: must be an integer from 0 to 1000000, got -1" },
      { "on_error = { breaker = 0 }",
        "on_error.breaker: must be an integer from 1 to 1000000, got 0" },
      { "on_error = { backoff = 0 }",
        "on_error.backoff: must be a duration from 1ms to 1h, got 0" },
      { 'on_error = { jitter = "yes" }', 'on_error.jitter: must be true or false, got "yes"' },
      { 'on_invalid = "retry"', "on_invalid: must be " .. WORDS .. ', got "retry"' },
      { "on_unknown_type = false", "on_unknown_type: must be " .. WORDS .. ", got false" },
      { 'on_tombstone = "stop"',
        "on_tombstone: must be \"handle\" or \"skip\", got \"stop\"" },
    })
  end)

  it("refuses a longest wait below the first", function()
    assert_refused({
      { 'on_error = { backoff = "2s", max_backoff = "1s" }',
        'on_error.max_backoff: must be at least backoff, which is 2000 ms, got "1s"' },
      { 'on_error = { backoff = "1m" }',
        'on_error.backoff: must be at most max_backoff, which is 30000 ms, got "1m"' },
    })
  end)

  it("names the topic of the dead letters after topic and group", function()
    assert.equal("orders.g.dead-letter", consumer("").dead_letter)
    assert.equal("lost", consumer('dead_letter = "lost",').dead_letter)
    assert.is_nil(consumer('dead_letter = false, on_error = "stop", on_invalid = "skip",')
      .dead_letter)
  end)

  it("refuses dead letters that have nowhere to go", function()
    assert_refused({
      { "dead_letter = false", "dead_letter: is false, but on_error and on_invalid would send " ..
        'records there; choose "skip" or "stop"' },
      { 'dead_letter = false, on_error = "stop", on_invalid = "stop", ' ..
        'on_unknown_type = "dead_letter"', "dead_letter: is false, but on_unknown_type would " ..
        'send records there; choose "skip" or "stop"' },
      { "dead_letter = true", "dead_letter: must be a legal topic name, which is 1 to 249 " ..
        "letters, digits, '.', '_' and '-', got true" },
      { 'dead_letter = "orders"', "dead_letter: is read by this consumer, so what failed would " ..
        'come back for ever, got "orders"' },
    })
  end)

  it("refuses a name that is derived and no topic's", function()
    local named = ('config.lua:6: consumers.c: dead letters would go to topic "orders.%s.' ..
      'dead-letter", which is no legal name; name one by dead_letter')
    assert.same({ named:format("my group") },
      problems(good_but('group = "g"', 'group = "my group"')))
    assert.same({}, config_file.good(good_but('group = "g"',
      'group = "my group", dead_letter = "lost"')).notices)
    local long = ("g"):rep(240)
    assert.matches("which is no legal name; name one by dead_letter",
      problems(good_but('group = "g"', ('group = "%s"'):format(long)))[1], 1, true)
  end)
end)

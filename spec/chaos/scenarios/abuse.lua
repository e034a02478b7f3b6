-- The admin server of a member is asked for what makes no sense, held up, guessed at and asked from
-- other sites, in stretches between which nobody does anything.

local abuse = require("spec.support.abuse")
local admin = require("spec.support.admin_client")
local json = require("cjson")
local threads = require("spec.support.threads")
local util = require("luassert.util")
local uv = require("luv")

local TOKEN = "the-operator's-token"
local STRETCHES = 5
local REQUESTS_A_SECOND = 8000
-- The whole run has these beside the requests, in proportion.
local GUESSES = 10000
local MIN_STRETCH_S = 3
local MAX_GROWTH = 10 * 1024 * 1024
local MAX_LOSS = 0.05
local LIVE_MS = 1000

-- Lets seconds pass, sees how much memory the member has, and how much is handled.
local function watch(rig, is_over)
  local member = rig.members.list[1]
  local began, from, peak, least = uv.hrtime(), rig.judge.verdicts.handled, 0, math.huge
  rig:wait("the end of a stretch", 600000, function()
    local resident = threads.resident_bytes(member.pid)
    peak, least = math.max(peak, resident), math.min(least, resident)
    return is_over((uv.hrtime() - began) / 1e9)
  end)
  return { peak = peak, least = least, seconds = (uv.hrtime() - began) / 1e9,
    handled = rig.judge.verdicts.handled - from }
end

local function be_quiet(rig, seconds)
  return watch(rig, function(passed)
    return passed >= seconds
  end)
end

local function start_all(rig, number, requests, seconds)
  local seed = rig.seed * 100 + number
  local started = {}
  for kind, count in pairs({ fuzz = requests, slow = seconds, tokens = GUESSES // STRETCHES,
    sites = GUESSES // STRETCHES }) do
    started[kind] = abuse.start(kind, rig.url, { seed = seed, count = count, token = TOKEN,
      rate = kind == "fuzz" and REQUESTS_A_SECOND or count / seconds })
  end
  return started
end

local function suffer(rig, number, requests, seconds)
  local started = start_all(rig, number, requests, seconds)
  local stretch = watch(rig, function()
    for _, process in pairs(started) do
      if process:is_running() then
        return false
      end
    end
    return true
  end)
  for kind, process in pairs(started) do
    local result = abuse.result(process)
    rig.results[kind] = rig.results[kind] or {}
    table.insert(rig.results[kind], result)
    rig:say("%s: %d requests by %d connections, /live within %.0f ms, answers %s", kind,
      result.asked, result.connections, result.live.worst_ms, json.encode(result.statuses))
  end
  return stretch
end

local function sum(list, name)
  local total = 0
  for _, one in ipairs(list) do
    total = total + one[name]
  end
  return total
end

local function judge_rate(rig)
  local quiet = sum(rig.quiet, "handled") / sum(rig.quiet, "seconds")
  local abused = sum(rig.abused, "handled") / sum(rig.abused, "seconds")
  return abused >= quiet * (1 - MAX_LOSS),
    ("%.0f records a second handled beside it, %.0f without"):format(abused, quiet)
end

local function judge_memory(rig)
  local before, peak = rig.quiet[1].peak, 0
  for _, stretch in ipairs(rig.abused) do
    peak = math.max(peak, stretch.peak)
  end
  local after = rig.quiet[#rig.quiet].least
  return math.max(peak, after) - before < MAX_GROWTH,
    ("%.1f MiB resident before, at most %.1f beside it, %.1f after it"):format(before / 2 ^ 20,
      peak / 2 ^ 20, after / 2 ^ 20)
end

local function judge_live(rig)
  local worst, failed, again, asked = 0, 0, 0, 0
  for _, results in pairs(rig.results) do
    for _, result in ipairs(results) do
      worst = math.max(worst, result.live.worst_ms)
      failed, again = failed + result.live.failed, again + result.live.again
      asked = asked + result.live.asked
    end
  end
  return worst < LIVE_MS and failed == 0, ("/live was asked for %d times and answered within "
    .. "%.0f ms; %d of them by a second connection"):format(asked, worst, again)
end

local function only(results, status)
  for _, result in ipairs(results) do
    if result.statuses[status] ~= result.asked or result.answered ~= result.asked then
      return false
    end
  end
  return true
end

local function judge_settings(rig)
  local is_same = util.deepcompare(rig.before, rig.after)
  local said = #rig.members.all[1].run:log("without the right token$")
  local is_good = is_same and only(rig.results.tokens, "401")
    and only(rig.results.sites, "403") and said <= 2 + rig:seconds() // 60
  return is_good, ("%d fuzzed requests, %d wrong tokens and %d of other sites changed nothing%s; "
    .. "%d lines of the log about tokens"):format(sum(rig.results.fuzz, "asked"),
    sum(rig.results.tokens, "asked"), sum(rig.results.sites, "asked"),
    is_same and "" or (": " .. json.encode(rig.before) .. " became " .. json.encode(rig.after)),
    said)
end

local function settings_of(rig)
  local member = rig.members.list[1].run
  return { settings = abuse.settings(rig.url, TOKEN), config = rig.judge.app:config(),
    levels = #member:log("^log level") }
end

return {
  says = "1,000,000 fuzzed requests, 500 slow clients, wrong tokens and other sites at one admin",
  records = 100000,
  count = 1000000,
  rate = 10000,
  keys = 2000,
  members = 1,
  may_repeat = false,
  consumer = { workers = 4, buffer_size = 20 },
  listen = "127.0.0.1:0",
  config = { admin = { token = TOKEN } },
  event = function()
    return {}
  end,
  faults = function(rig)
    rig.url = admin.url_of(rig.members.list[1].run)
    rig.results, rig.quiet, rig.abused = {}, {}, {}
    local requests = math.max(1, rig.count // STRETCHES)
    local seconds = math.max(MIN_STRETCH_S, math.ceil(requests / REQUESTS_A_SECOND))
    rig:pass(5000)
    rig.before = settings_of(rig)
    for i = 1, STRETCHES do
      table.insert(rig.quiet, be_quiet(rig, seconds))
      rig:fault("abuse %d of %d", i, STRETCHES)
      table.insert(rig.abused, suffer(rig, i, requests, seconds))
    end
    table.insert(rig.quiet, be_quiet(rig, seconds))
    rig.after = settings_of(rig)
  end,
  checks = {
    { letter = "V", judge = judge_rate },
    { letter = "M", judge = judge_memory },
    { letter = "X", judge = judge_live },
    { letter = "Z", judge = judge_settings },
  },
}

-- A service that all handlers need is down. What is given up meanwhile is sent back at the end.

local letters = require("spec.chaos.letters")
local phases = require("spec.chaos.phases")

local RETRIES = 3
local BREAKER = 20
local WORKERS, HANDS = 4, 10
local MEMBERS = 2

local function redrive(rig)
  local count = 0
  for _, times in pairs(letters.read(rig)) do
    count = count + times
  end
  rig:say("%d dead letters are sent back", count)
  rig.letter_count = count
  local tool = rig.judge.app:run({ "dead-letters", "orders", "redrive" }, nil, 60000)
  assert(tool.process.code == 0, tool.process:tail())
  phases.drain(rig)
end

local function judge_count(rig)
  local most = MEMBERS * (BREAKER + WORKERS * HANDS)
  return rig.letter_count <= most, ("%d dead letters; at most %d: %d members x (breaker %d + in "
    .. "flight %d)"):format(rig.letter_count, most, MEMBERS, BREAKER, WORKERS * HANDS)
end

-- All on the topic is handled; so the letters are, when they are there.
local function judge_redrive(rig)
  local total = 0
  for _, offset in pairs(rig.ends) do
    total = total + offset
  end
  return total == rig.traffic.sent + rig.letter_count, ("%d records were sent, %d came back, %d "
    .. "are on the topic"):format(rig.traffic.sent, rig.letter_count, total)
end

return {
  says = "a service is down for 300 s; what was given up is sent back",
  records = 60000,
  seconds = 300,
  rate = 200,
  keys = 1000,
  members = MEMBERS,
  consumer = { workers = WORKERS, buffer_size = HANDS,
    on_error = { retries = RETRIES, backoff = "200ms", max_backoff = "5s", breaker = BREAKER } },
  event = function()
    return { needs = "outage", last_attempt = RETRIES + 1 }
  end,
  faults = function(rig)
    rig:wait_progress()
    rig.judge.app:open_gate("outage")
    rig:fault("the service is down")
    rig:pass(rig.lasts_s * 1000)
    rig.judge.app:close_gate("outage")
    rig:fault("the service is back; %d tries failed", rig.judge.verdicts.failed)
  end,
  finish = redrive,
  checks = { { letter = "B", judge = judge_count }, { letter = "R", judge = judge_redrive } },
}

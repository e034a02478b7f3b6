-- Members come, go, freeze and die in a random order while records keep coming.

local oracle = require("spec.support.oracle")
local uv = require("luv")

local SECONDS = tonumber(os.getenv("LAGOON_SPEC_CHAOS") or 25)
local MAX_MEMBERS = 4

-- A draw that names itself, so that a failing run can be had again.
local SEED = tonumber(os.getenv("LAGOON_SPEC_SEED") or os.time())

-- Short limits, so that drains end with handlers that still run and sessions end within seconds.
local function properties_of(strategy)
  return { ["session.timeout.ms"] = 3000, ["heartbeat.interval.ms"] = 300,
    ["max.poll.interval.ms"] = 6000, ["partition.assignment.strategy"] = strategy }
end

local function event_of()
  local dice = math.random(1000)
  if dice <= 2 then
    return { sleep_ms = 3000 }
  elseif dice <= 4 then
    return { block_ms = 2000 }
  elseif dice <= 30 then
    return { sleep_ms = 300, publish = 1 }
  end
  return { random_ms = 4 }
end

---@class spec.Crowd
local Crowd = {}
Crowd.__index = Crowd

function Crowd:come()
  table.insert(self.members, self.judge:start_member({ is_waiting = false }))
end

function Crowd:take_one()
  return table.remove(self.members, math.random(#self.members))
end

function Crowd:go()
  local member = self:take_one()
  member.process:signal("sigterm")
  table.insert(self.leaving, member)
end

function Crowd:die()
  local member = self:take_one()
  member.process:signal("sigkill")
  member.process.is_tool = true
end

-- For longer than its session, or for a moment.
function Crowd:freeze()
  local member = self.members[math.random(#self.members)]
  member.process:signal("sigstop")
  self:pass(math.random(2) == 1 and 500 or 4000)
  member.process:signal("sigcont")
end

function Crowd:pass(milliseconds)
  local till = uv.hrtime() + milliseconds * 1000000
  self.judge:wait("time to pass", milliseconds + 10000, function()
    return uv.hrtime() >= till
  end)
end

function Crowd:act()
  local acts = { "come", "come", "go", "die", "freeze" }
  local act = acts[math.random(#acts)]
  if act == "come" and #self.members == MAX_MEMBERS or act ~= "come" and #self.members < 2 then
    return
  end
  self[act](self)
  self:pass(math.random(0, 4000))
end

local function check(strategy, distribution)
  math.randomseed(SEED)
  local judge = oracle.new({ partitions = 6, is_ordered = distribution == "key",
    has_out_topic = true, consumer = { workers = 3, drain_timeout = "1s",
      distribution = distribution, properties = properties_of(strategy) } })
  local crowd = setmetatable({ judge = judge, members = {}, leaving = {} }, Crowd)
  crowd:come()
  local sent = judge:start_traffic({ rate = 300, keys = 200, event = event_of })
  local till = uv.hrtime() + SECONDS * 1000000000
  while uv.hrtime() < till do
    crowd:act()
  end
  judge:wait_progress("after the chaos", 30000)
  sent:stop()
  judge:wait_handled(30000)
  judge:wait_committed(20000)
  for _, member in ipairs(crowd.members) do
    judge:stop_member(member)
  end
  for _, member in ipairs(crowd.leaving) do
    assert.equal(0, member.process:wait_exit(), member.process:tail())
  end
  assert.same({}, judge.verdicts.wrong)
end

describe("Chaos on Kafka, seed " .. SEED .. ",", function()
  it("loses nothing and breaks no order, eager, by key", function()
    check("range", "key")
  end)

  it("loses nothing and breaks no order, cooperative, by key", function()
    check("cooperative-sticky", "key")
  end)

  it("loses nothing and runs nothing twice at once, cooperative, under free_worker", function()
    check("cooperative-sticky", "free_worker")
  end)
end)

-- What happens to brokers and to the way to them, for scenarios of three.

local kafka_cluster = require("spec.support.kafka_cluster")
local uv = require("luv")

local M = {}

local RECOVERY_S = 30
local SYNC_MS = 120000

---@param rig spec.Rig
---@return spec.KafkaCluster
function M.start(rig)
  rig.recoveries = {}
  return kafka_cluster.start()
end

---The same, with a proxy between it and the members.
---@param rig spec.Rig
---@return spec.KafkaCluster
function M.start_behind_proxy(rig)
  rig.recoveries = {}
  return kafka_cluster.start({ has_proxy = true })
end

---Commits may fail for so long, and every member lose what it has: all that comes meanwhile or is
---there already may be handled again.
---@param rig spec.Rig
---@param seconds integer
function M.charge(rig, seconds)
  rig.bound:add({}, #rig.members.list)
  local waiting = rig.traffic.sent - rig.judge.verdicts.handled
  rig.bound.rate = rig.bound.rate + rig.rate * seconds + math.max(0, waiting)
end

---Milliseconds since 1970, as records have them.
---@return integer
function M.now_ms()
  local seconds, microseconds = uv.gettimeofday()
  return seconds * 1000 + microseconds // 1000
end

---Waits until in every partition something has been handled that was sent after this moment, and
---keeps how long that took.
---@param rig spec.Rig
---@param what string
function M.recover(rig, what)
  local since, reached = M.now_ms(), {}
  rig.judge.verdicts.on_end = function(entry)
    reached[entry.partition] = reached[entry.partition] or entry.sent_at >= since
  end
  rig:wait("progress " .. what, 4 * RECOVERY_S * 1000, function()
    for partition = 0, rig.judge.partitions - 1 do
      if not reached[partition] then
        return false, "none in partition " .. partition
      end
    end
    return true
  end)
  rig.judge.verdicts.on_end = nil
  local seconds = (M.now_ms() - since) / 1000
  table.insert(rig.recoveries, seconds)
  rig:say("%.1f s %s every partition goes on", seconds, what)
end

---Waits until another broker may be lost.
---@param rig spec.Rig
function M.wait_in_sync(rig)
  rig.kafka:wait_in_sync(function(condition)
    rig:wait("all replicas to be in sync", SYNC_MS, condition)
  end)
end

---Shuts a broker down, and starts it again when it has ended.
---@param rig spec.Rig
---@param id integer
function M.restart(rig, id)
  local broker = rig.kafka.kafka.nodes[id].process
  M.charge(rig, 5)
  rig:fault("SIGTERM of broker %d", id)
  broker:signal("sigterm")
  rig:wait("the end of broker " .. id, 60000, function()
    return not broker:is_running()
  end)
  M.recover(rig, "after broker " .. id .. " went")
  rig.kafka:start(id)
  rig:fault("broker %d is started", id)
  M.wait_in_sync(rig)
end

---SIGKILL; nobody starts it again.
---@param rig spec.Rig
---@param id integer
function M.kill(rig, id)
  -- The group's coordinator may be gone until the others have missed it and read what it knew.
  M.charge(rig, 10)
  rig:fault("SIGKILL of broker %d", id)
  rig.kafka:kill(id)
end

local function judge_recovery(rig)
  local longest = 0
  for _, seconds in ipairs(rig.recoveries) do
    longest = math.max(longest, seconds)
  end
  return longest <= RECOVERY_S, ("all partitions went on %d times, in %.1f s at most"):format(
    #rig.recoveries, longest)
end

-- Members that ended without a word have no counts.
local function judge_blame(rig)
  local sums = { retried = 0, dead_letters = 0, failed = 0, skipped = 0 }
  for _, member in ipairs(rig.members.all) do
    local counts = member.run:log("^consumer orders: stopped")[1] or {}
    for name, sum in pairs(sums) do
      sums[name] = sum + (counts[name] or 0)
    end
  end
  local total = sums.retried + sums.dead_letters + sums.failed + sums.skipped
  return total == 0, ("%d tried again, %d dead letters, %d failed, %d skipped for lack of a broker")
    :format(sums.retried, sums.dead_letters, sums.failed, sums.skipped)
end

M.recovery = { letter = "R", judge = judge_recovery }

M.checks = { M.recovery, { letter = "B", judge = judge_blame } }

return M

-- The members of the group: they come, go, die and freeze, and each end is looked at.

local threads = require("spec.support.threads")
local uv = require("luv")
local wait = require("spec.support.wait")

local M = {}

-- As long as handlers may go on with what was taken from them, and a while.
local LOOSE_NS = 60 * 1000000000

---@class spec.Member
---@field number integer
---@field name string
---@field pid integer
---@field run spec.Run
---@field fate? "killed"|"stopping" what was done to it
---@field loose_at? integer when it was last seen that it may run what another has been given: it
--- froze, lost its partitions or gave them back while handlers ran, all of which it says
---@field losses integer how often it lost partitions
---@field peak_bytes integer the most memory it had

---@class spec.Members
---@field list spec.Member[] those that nothing was done to
---@field all spec.Member[]
---@field wrong string[] ends that were no good ones
local Members = {}
Members.__index = Members

local LOST, BUSY = ": lost ", " is given back while "

---@param rig spec.Rig
---@return spec.Members
function M.new(rig)
  return setmetatable({ rig = rig, list = {}, all = {}, by_pid = {}, wrong = {} }, Members)
end

---Starts one; does not wait.
---@return spec.Member
function Members:come()
  local run = self.rig.judge:start_member({ is_waiting = false })
  local number = #self.all + 1
  local member = { number = number, name = "member " .. number, run = run, pid = run.process.pid,
    peak_bytes = 0, losses = 0 }
  member.next_loss = run.process.output:search(LOST)
  member.next_busy = run.process.output:search(BUSY)
  member.is_assigned = run.process.output:search(": assigned orders")
  table.insert(self.list, member)
  table.insert(self.all, member)
  self.by_pid[member.pid] = member
  return member
end

---Waits until it has partitions.
---@param member spec.Member
function Members:wait_assigned(member)
  self.rig:wait("an assignment of " .. member.name, 60000, function()
    return member.is_assigned()
  end)
end

---One of those that nothing was done to.
---@return spec.Member
function Members:any()
  return self.list[self.rig.dice(1, #self.list)]
end

function Members:take_out(member)
  for i, one in ipairs(self.list) do
    if one == member then
      table.remove(self.list, i)
    end
  end
end

---SIGKILL.
---@param member spec.Member
function Members:kill(member)
  self.rig.bound:add({ member.pid }, #self.list)
  self.rig:fault("SIGKILL of %s, which had handled %d", member.name,
    self.rig.judge.verdicts.handled_by[member.pid] or 0)
  member.fate = "killed"
  member.run.process.is_tool = true
  member.run.process:signal("sigkill")
  self:take_out(member)
end

---SIGTERM; does not wait.
---@param member spec.Member
function Members:terminate(member)
  self.rig.bound:add({}, #self.list)
  self.rig:fault("SIGTERM of %s, which had handled %d", member.name,
    self.rig.judge.verdicts.handled_by[member.pid] or 0)
  member.fate = "stopping"
  member.run.process:signal("sigterm")
  self:take_out(member)
end

---SIGSTOP, and SIGCONT after that time.
---@param member spec.Member
---@param milliseconds integer
function Members:freeze(member, milliseconds)
  self.rig.bound:add({ member.pid }, #self.list)
  self.rig:fault("SIGSTOP of %s for %d ms", member.name, milliseconds)
  member.loose_at = uv.hrtime()
  member.run.process:signal("sigstop")
  self.rig:pass(milliseconds)
  member.run.process:signal("sigcont")
  member.loose_at = uv.hrtime()
  self.rig:fault("SIGCONT of %s", member.name)
end

---Another one; partitions move.
---@return spec.Member
function Members:join()
  self.rig.bound:add({}, #self.list)
  local member = self:come()
  self.rig:fault("%s joins %d others", member.name, #self.list - 1)
  return member
end

---Whether the process may have run what another had been given.
---@param pid integer
---@param at integer as uv.hrtime counts
---@return boolean
function Members:was_loose(pid, at)
  local loose_at = self.by_pid[pid] and self.by_pid[pid].loose_at
  return loose_at ~= nil and math.abs(at - loose_at) < LOOSE_NS
end

---Waits for the end of what was killed or stopped.
---@param member spec.Member
---@param deadline_ms? integer
function Members:wait_end(member, deadline_ms)
  self.rig:wait("the end of " .. member.name, deadline_ms or 40000, function()
    return member.is_over
  end)
end

local function judge_end(member, left)
  local process = member.run.process
  if not member.fate then
    return "ended by itself"
  elseif member.fate == "stopping" and process.code ~= (member.may_end_with or 0) then
    return "was stopped"
  elseif member.fate == "stopping" and process.code == 0 and #left > 0 then
    return ("left %d handlers behind without a word"):format(#left)
  end
end

local function look_at(self, member)
  while member.next_loss() do
    member.losses = member.losses + 1
    member.loose_at = uv.hrtime()
  end
  while member.next_busy() do
    member.loose_at = uv.hrtime()
  end
  if member.run.process:is_running() then
    member.peak_bytes = math.max(member.peak_bytes, threads.peak_bytes(member.pid))
    return
  end
  member.is_over = true
  self:take_out(member)
  local left = self.rig.judge.verdicts:forget_process(member.pid)
  local problem = judge_end(member, left)
  if problem then
    table.insert(self.wrong, ("%s %s: %s"):format(member.name, problem,
      member.run.process:how_it_ended()))
  end
end

---Sees who has ended and how, and who lost what it had. Called several times a second.
function Members:look()
  for _, member in ipairs(self.all) do
    if not member.is_over then
      look_at(self, member)
    end
  end
end

---Stops all that still run, one after the other is told.
function Members:stop_all()
  local stopped = table.move(self.list, 1, #self.list, 1, {})
  for _, member in ipairs(stopped) do
    member.fate = "stopping"
    member.run.process:signal("sigterm")
  end
  wait.till("all members to end", 60000, function()
    self.rig.judge:sample()
    self:look()
    for _, member in ipairs(self.all) do
      if not member.is_over then
        return false, member.name
      end
    end
    return true
  end)
end

return M

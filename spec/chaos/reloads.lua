-- Config and scripts of a member that change while it runs, rightly and wrongly, and what it says.

local directory = require("spec.support.directory")
local uv = require("luv")

local M = {}

-- What has no end is given 5 s of processor time, which a busy machine makes long.
local MAX_WAIT_MS = 240000

-- Each writes something wrong, and gives what has to be said of it.
local BROKEN = {
  function(reloads) -- no Lua
    reloads.app:script("version", ("-- %d\nlocal x = = 1\n"):format(reloads.version))
    return "scripts/version.lua:2: unexpected symbol near '='"
  end,
  function(reloads) -- a runtime error at load
    reloads.app:script("version", "local M = nil\n\nM.version = 1\n")
    return "scripts/version.lua:3: attempt to index a nil value"
  end,
  function(reloads) -- no handler
    reloads.app:script("work", "return { handler = function() end }\n")
    return "consumers.orders.handlers.OrderCreated"
  end,
  function(reloads) -- a key that there is not
    local config, line = reloads.config, 1
    local before = config:match("^(.-)%[\"workers\"%]")
    for _ in before:gmatch("\n") do
      line = line + 1
    end
    reloads.app:write_config((config:gsub("%[\"workers\"%]", "[\"wrokers\"]")))
    return ("config.lua:%d: consumers.orders.wrokers"):format(line)
  end,
  function(reloads) -- no end
    reloads.app:script("version", "local n = 0\nwhile true do n = n + 1 end\n")
    return "scripts/version.lua:2:"
  end,
  function(reloads) -- the first half of a file
    local half = reloads.work:sub(1, #reloads.work // 2):gsub("[^\n]*$", "")
    reloads.app:script("work", half)
    return "scripts/work.lua:"
  end,
}

---@class spec.Reloads
---@field rig spec.Rig
---@field done integer that took over
---@field refused integer
---@field problems string[] what was not said as it should have been
---@field times integer[] milliseconds from SIGHUP to the word that it is done
local Reloads = {}
Reloads.__index = Reloads

---@param rig spec.Rig
---@return spec.Reloads
function M.new(rig)
  local member = rig.members.list[1]
  local app = rig.judge.app
  local self = setmetatable({ rig = rig, app = app, member = member, version = 0, done = 0,
    refused = 0, problems = {}, times = {}, config = app:config(), generation = 1,
    work = directory.read(app.folder .. "/scripts/work.lua"),
    next_done = member.run.process.output:search("(.*reloaded, generation .*)"),
    next_refused = member.run.process.output:search("(.*reload refused.*)") }, Reloads)
  return self
end

-- Two files that say the same number: a handler that saw two readings would not load.
function Reloads:write_good()
  self.version = self.version + 1
  self.app:write_config(self.config)
  self.app:script("version", ("return %d\n"):format(self.version))
  self.app:script("work", ("assert(require('version') == %d)\n%s"):format(self.version, self.work))
end

function Reloads:ask()
  self.asked_at = uv.hrtime()
  self.member.run.process:signal("sighup")
end

function Reloads:wait_answer(what, find, other)
  local answer
  self.rig:wait(what, MAX_WAIT_MS, function()
    answer = answer or find()
    local wrong = other()
    if wrong then
      table.insert(self.problems, ("waited for %s and heard: %s"):format(what, wrong[1]))
    end
    return answer or wrong
  end)
  return answer and answer[1]
end

function Reloads:reload()
  self:write_good()
  self:ask()
  if self:wait_answer("a reload", self.next_done, self.next_refused) then
    self.done = self.done + 1
    table.insert(self.times, (uv.hrtime() - self.asked_at) // 1000000)
  end
end

---@param kind integer
function Reloads:refuse(kind)
  self:write_good()
  local expected = BROKEN[(kind - 1) % #BROKEN + 1](self)
  self:ask()
  local line = self:wait_answer("a refusal", self.next_refused, self.next_done)
  if line then
    self.refused = self.refused + 1
    if not line:find(expected, 1, true) then
      table.insert(self.problems, ("%q is not in %s"):format(expected, line))
    end
  end
end

---@param rig spec.Rig
function M.judge(rig)
  local reloads = rig.reloads
  local is_good = #reloads.problems == 0 and reloads.refused > 0
  table.sort(reloads.times)
  local times = reloads.times
  return is_good, ("%d reloads, %d of what is broken refused, each with file and line; half took "
    .. "%d ms, all %d ms%s"):format(reloads.done, reloads.refused, times[#times // 2 + 1] or -1,
    times[#times] or -1, #reloads.problems > 0 and ": " .. reloads.problems[1] or "")
end

return M

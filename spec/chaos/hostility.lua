-- Sends records whose handlers are hostile, among others whose handlers wait in the same Lua
-- states, and sees what becomes of each.

local lfs = require("lfs")

local directory = require("spec.support.directory")

local M = {}

local HOUR_MS = 3600 * 1000
local GIVEN_UP = "^consumer orders: a record is given up and goes to the dead letters"

---@class spec.Hostility
---@field rig spec.Rig
---@field begun spec.Hostile[] as they began

---@class spec.Hostile
---@field partition integer
---@field offset integer
---@field at integer milliseconds, by the wall
---@field worker integer
---@field cpu_ns integer what its worker had used before
local Hostility = {}
Hostility.__index = Hostility

---@param rig spec.Rig
---@return spec.Hostility
function M.new(rig)
  local self = setmetatable({ rig = rig, begun = {} }, Hostility)
  rig.judge.verdicts.on_end = function(entry)
    if entry.mark == "G" then
      table.insert(self.begun, entry)
    end
  end
  return self
end

---A scenario's event: what was asked for, or a handler that waits.
---@param rig spec.Rig
---@return table event
function M.event(_, _, rig)
  local wanted = rig.wanted
  rig.wanted = nil
  return wanted or { sleep_ms = 300 }
end

-- What each worker's thread has used so far, by the worker's number.
local function cpu_of_workers(pid)
  local used = {}
  for thread in lfs.dir(("/proc/%d/task"):format(pid)) do
    local path = ("/proc/%d/task/%s/"):format(pid, thread)
    local worker = thread:find("^%d") and directory.read(path .. "comm"):match("^orders/(%d+)")
    if worker then
      used[tonumber(worker)] = math.tointeger(directory.read(path .. "schedstat"):match("^%d+"))
    end
  end
  return used
end

---Sends one, and waits until its handler has begun.
---@param event table
---@return spec.Hostile
function Hostility:send(event)
  local count = #self.begun
  local used = cpu_of_workers(self.rig.members.all[1].pid)
  self.rig.wanted = event
  self.rig:wait("a hostile handler", 60000, function()
    return #self.begun > count
  end)
  local one = self.begun[#self.begun]
  one.cpu_ns = used[one.worker]
  return one
end

---The CPU time that its worker has used since it was sent, by the way also for its neighbours.
---@param one spec.Hostile
---@return integer milliseconds
function Hostility:cpu_ms(one)
  local used = cpu_of_workers(self.rig.members.all[1].pid)
  return (used[one.worker] - one.cpu_ns) // 1000000
end

---The line that the member says of the record; nil: none yet.
---@param place {partition: integer, offset: integer}
---@param pattern string
---@return table? line
function Hostility:line(place, pattern)
  return self.rig.members.all[1].run:log(pattern,
    { partition = place.partition, offset = place.offset })[1]
end

---@param place {partition: integer, offset: integer}
---@return table? line
function Hostility:given_up(place)
  return self:line(place, GIVEN_UP)
end

---@param place {at: integer}
---@param line {time: string}
---@return integer milliseconds between the two, which lie within an hour
function M.between(place, line)
  local minute, seconds = line.time:match(":(%d+):([%d.]+)Z$")
  local at = math.floor((minute * 60 + seconds) * 1000 + 0.5)
  return (at - place.at % HOUR_MS) % HOUR_MS
end

---@param rig spec.Rig
---@return integer how many Lua states were replaced
function M.replaced(rig)
  return #rig.members.all[1].run:log("^consumer orders: worker %d+ goes on in a new Lua state")
end

return M

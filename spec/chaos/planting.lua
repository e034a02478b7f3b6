-- Builds the program with a fault in it: a copy of the files that change, compiled and linked with
-- the objects of the program as it is.

local directory = require("spec.support.directory")
local process = require("spec.support.process")

local M = {}

local AREAS = { "assignments", "endings", "offsets", "strands" }
local BUILD_MS = 120000

---A text of a source that is replaced.
---@class spec.PlantEdit
---@field file string
---@field find string what stands there, exactly once
---@field replace string

---@class spec.Plant
---@field name string
---@field what string the fault in a sentence
---@field edits spec.PlantEdit[]
---@field scenario string in spec/chaos/pointed: what finds it
---@field options table? of that scenario
---@field verdict string which one it breaks
---@field spec string? the quickest one that finds it too, without Kafka

---All faults.
---@return spec.Plant[]
function M.plants()
  local plants = {}
  for _, area in ipairs(AREAS) do
    for _, plant in ipairs(require("spec.chaos.plants." .. area)) do
      table.insert(plants, plant)
    end
  end
  return plants
end

---@param name string
---@return spec.Plant?
function M.find(name)
  for _, plant in ipairs(M.plants()) do
    if plant.name == name then
      return plant
    end
  end
end

---How often the text stands there.
---@param source string
---@param text string
---@return integer
function M.count(source, text)
  local count, from = 0, 1
  repeat
    local first, last = source:find(text, from, true)
    if first then
      count, from = count + 1, last + 1
    end
  until not first
  return count
end

local function replace(source, edit)
  local count = M.count(source, edit.find)
  if count ~= 1 then
    error(("%s has %d places like %q, not one"):format(edit.file, count, edit.find), 0)
  end
  local first, last = source:find(edit.find, 1, true)
  return source:sub(1, first - 1) .. edit.replace .. source:sub(last + 1)
end

---The files with the fault in them.
---@param plant spec.Plant
---@return table<string, string> sources by file
function M.apply(plant)
  local sources = {}
  for _, edit in ipairs(plant.edits) do
    sources[edit.file] = replace(sources[edit.file] or directory.read(edit.file), edit)
  end
  return sources
end

---@param plant spec.Plant
---@param build string the folder with the program as it is
---@return string folder with a lagoon, and a unit.so for the unit specs
function M.build(plant, build)
  local folder = ("%s/plants/%s"):format(build, plant.name)
  local planted = {}
  for file, source in pairs(M.apply(plant)) do
    directory.write(("%s/%s"):format(folder, file), source)
    table.insert(planted, file)
  end
  -- The variables of a make around this one would have it share its jobs.
  local made = process.run({ "make", "--no-print-directory", "-j2", "BUILD=" .. build,
    "PLANT=" .. plant.name, "PLANTED=" .. table.concat(planted, " "), folder .. "/lagoon",
    folder .. "/unit.so" },
    { env = { MAKEFLAGS = false, MAKELEVEL = false, MFLAGS = false } }, BUILD_MS)
  if made.code ~= 0 then
    error(("%s does not compile:\n%s"):format(plant.name, made:tail()), 0)
  end
  return folder
end

return M

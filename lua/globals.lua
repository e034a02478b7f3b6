-- The globals of all scripts, looked at without running them: a name that nothing defines is a
-- misspelling, or a `local` that was forgotten.

local bytecode = require("lagoon.bytecode")
local words = require("lagoon.config.words")

local M = {}

---@class lagoon.globals.File
---@field path string
---@field bytes string

-- What a file uses; or nil and why it does not compile.
local function read(file)
  if file.bytes:sub(1, 1) == "\27" then
    return nil, file.path .. ": is compiled; lagoon reads Lua's source only"
  end
  local chunk, message = load(file.bytes, "@" .. file.path, "t")
  return chunk and bytecode.uses(chunk), message
end

local function list_names(known)
  local names = {}
  for name in pairs(known) do
    if type(name) == "string" then
      table.insert(names, name)
    end
  end
  table.sort(names)
  return names
end

-- A plain name in front of what Lua 5.4 calls otherwise.
local SUCCESSORS = { unpack = "table.unpack", loadstring = "load" }

local function describe(name, is_set, names)
  if is_set then
    return ("sets the global '%s', which no file declares; write local in front"):format(name)
  end
  if name == "lagoon" then
    return [[undefined global 'lagoon'; write local lagoon = require("lagoon") at the top]]
  end
  return ("undefined global '%s'%s"):format(name,
    words.did_you_mean(SUCCESSORS[name] or words.nearest(name, names)))
end

---What is wrong with it, while it happens.
---@param name string
---@param is_set boolean
---@param known table<string, any> the globals that are there
---@return string
function M.describe(name, is_set, known)
  return describe(name, is_set, list_names(known))
end

-- Each line's problem once, in the order of the lines.
local function list_problems(path, uses, defined, names)
  local order = {}
  for i, use in ipairs(uses) do
    order[use] = i
  end
  table.sort(uses, function(a, b)
    return a.line < b.line or a.line == b.line and order[a] < order[b]
  end)
  local list, seen = {}, {}
  for _, use in ipairs(uses) do
    local is_fine = defined.all[use.name] or use.is_probe and defined.probed[use.name] ~= nil
    local text = not is_fine
      and ("%s:%d: %s"):format(path, use.line, describe(use.name, use.is_set, names))
    if text and not seen[text] then
      seen[text] = true
      table.insert(list, text)
    end
  end
  return list
end

---@param files lagoon.globals.File[]
---@param known table<string, any> the globals that are there before any file runs
---@param probed table<string, any> those that any function may ask for, though they are not there
---@return string[] # problems, each with file and line
function M.check(files, known, probed)
  local defined, read_files, problems = { arg = true }, {}, {}
  for name in pairs(known) do
    defined[name] = true
  end
  for _, file in ipairs(files) do
    local uses, message = read(file)
    table.insert(read_files, { path = file.path, uses = uses, message = message })
    for _, use in ipairs(uses or {}) do
      if use.is_set and use.is_top then
        defined[use.name] = true
      end
    end
  end
  local names = list_names(defined)
  for _, file in ipairs(read_files) do
    local found = file.uses and list_problems(file.path, file.uses,
      { all = defined, probed = probed }, names)
    table.move(found or { file.message }, 1, found and #found or 1, #problems + 1, problems)
  end
  return problems
end

return M

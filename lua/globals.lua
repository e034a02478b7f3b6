-- The globals of all scripts, looked at without running them: a name that nothing defines is a
-- misspelling, or a `local` that was forgotten.

local bytecode = require("lagoon.bytecode")
local words = require("lagoon.config.words")

local M = {}

-- Libraries that work with several versions of Lua ask whether these are there.
local OTHER_VERSIONS = { bit = true, bit32 = true, getfenv = true, jit = true, loadstring = true,
  module = true, setfenv = true, unpack = true }

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
    table.insert(names, name)
  end
  table.sort(names)
  return names
end

-- A plain name in front of what Lua 5.4 calls otherwise.
local SUCCESSORS = { unpack = "table.unpack", loadstring = "load" }

local function describe(use, names)
  if use.is_set then
    return ("sets the global '%s', which no file declares; write local in front"):format(use.name)
  end
  if use.name == "lagoon" then
    return [[undefined global 'lagoon'; write local lagoon = require("lagoon") at the top]]
  end
  return ("undefined global '%s'%s"):format(use.name,
    words.did_you_mean(SUCCESSORS[use.name] or words.nearest(use.name, names)))
end

-- Each line's problem once, in the order of the lines.
local function list_problems(path, uses, known, names)
  local order = {}
  for i, use in ipairs(uses) do
    order[use] = i
  end
  table.sort(uses, function(a, b)
    return a.line < b.line or a.line == b.line and order[a] < order[b]
  end)
  local list, seen = {}, {}
  for _, use in ipairs(uses) do
    local is_fine = known[use.name] or use.is_probe and OTHER_VERSIONS[use.name]
    local text = not is_fine and ("%s:%d: %s"):format(path, use.line, describe(use, names))
    if text and not seen[text] then
      seen[text] = true
      table.insert(list, text)
    end
  end
  return list
end

---@param files lagoon.globals.File[]
---@param known table<string, any> the globals that are there before any file runs
---@return string[] # problems, each with file and line
function M.check(files, known)
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
    local found = file.uses and list_problems(file.path, file.uses, defined, names)
    table.move(found or { file.message }, 1, found and #found or 1, #problems + 1, problems)
  end
  return problems
end

return M

-- Run by busted before the specs: the search path for the runtime's Lua library, the scopes that
-- end what specs start, and the output of processes when a spec fails.

local busted = require("busted")
-- Loaded here, outside the files that busted insulates from each other, so that there is one loop.
require("luv")
require("spec.support.broken_pipe")

local directory = require("spec.support.directory")
local scope = require("spec.support.scope")
local suspects = require("spec.support.suspects")
require("spec.support.broker")

local FAILED_LOGS = (os.getenv("LAGOON_BUILD") or "build") .. "/failed"

---lua/config/schema.lua is lagoon.config.schema, as in the program.
local function find_library(module)
  local name = module:match("^lagoon%.(.+)$")
  if not name then
    return nil
  end
  local base = "lua/" .. name:gsub("%.", "/")
  for _, path in ipairs({ base .. ".lua", base .. "/init.lua" }) do
    local chunk, message = loadfile(path, "t")
    if chunk then
      return chunk, path
    end
    if not message:find("cannot open", 1, true) then
      error(message, 0)
    end
  end
  return "\n\tno file '" .. base .. ".lua'"
end

table.insert(package.searchers, 2, find_library)

local function full_name(element, parent)
  local names = { element.name }
  while parent and parent.name and parent.descriptor ~= "file" do
    table.insert(names, 1, parent.name)
    parent = busted.parent(parent)
  end
  return table.concat(names, " ")
end

---Keeps the whole output of every process that the spec knew, and shows the end of it.
local function show_processes(spec)
  for number, one in ipairs(suspects.list()) do
    local file = ("%s/%s-%d.log"):format(FAILED_LOGS, spec:gsub("[^%w]+", "-"):sub(1, 100), number)
    local text = ("# %s (pid %d, %s)\n%s\n"):format(one.name, one.pid, one:how_it_ended(),
      table.concat(one.output.lines, "\n"))
    directory.write(file, text)
    print(("\n--- %s\n--- %s (%s), all of it in %s\n%s\n---"):format(spec, one.name,
      one:how_it_ended(), file, one:tail()))
  end
end

local function on_start()
  scope.open()
  return nil, true
end

local function on_end()
  scope.close()
  return nil, true
end

local function on_test_end(element, parent, status)
  if status == "failure" or status == "error" then
    show_processes(full_name(element, parent))
  end
  scope.close()
  suspects.forget_ended()
  return nil, true
end

local function on_suite_end()
  scope.finish()
  return nil, true
end

busted.subscribe({ "file", "start" }, on_start)
busted.subscribe({ "file", "end" }, on_end)
busted.subscribe({ "describe", "start" }, on_start)
busted.subscribe({ "describe", "end" }, on_end)
busted.subscribe({ "test", "start" }, on_start)
busted.subscribe({ "test", "end" }, on_test_end)
busted.subscribe({ "suite", "end" }, on_suite_end)

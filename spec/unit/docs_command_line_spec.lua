local directory = require("spec.support.directory")
local docs = require("spec.support.docs")

local REFERENCE = directory.read("docs/command-line.md")
-- Adjacent literals are one.
local VERBS = directory.read("runtime/main.c"):gsub('"\n%s*"', "")
local OPTIONS = directory.read("runtime/command_line.c"):gsub('"\n%s*"', "")

local function sorted(list)
  table.sort(list)
  return list
end

-- The first cells of a section's tables, by what stands between their backquotes.
local function first_spans(text, heading)
  local spans = {}
  for _, cells in ipairs(docs.rows(docs.section(text, heading))) do
    for _, span in ipairs(docs.code_spans(cells[1])) do
      table.insert(spans, span)
    end
  end
  return sorted(spans)
end

-- The flags that the manual shows, with what it calls their values: "--port N".
local function shown_flags()
  local flags = {}
  for name, value, help in OPTIONS:gmatch('{"([%l-]+)", OPTION[^"\n]-, ("?[%u:=]+"?),%s*([N"])') do
    if help ~= "N" then
      local shown = "--" .. name .. (value:gsub("^NULL$", ""):gsub('^"(.*)"$', " %1"))
      flags[name], flags[name .. "=" .. value:gsub('"', "")] = shown, shown
    end
  end
  return flags
end

describe("the reference of the command line", function()
  it("lists the verbs as the help does", function()
    local verbs = {}
    for usage in VERBS:gmatch('"(lagoon %l[^"]*)",') do
      table.insert(verbs, (usage:gsub(" < [%l.]+$", "")))
    end
    assert.same(sorted(verbs), first_spans(REFERENCE, "## Verbs"))
  end)

  it("lists every flag with the verbs that take it", function()
    local expected, listed, flags = {}, {}, shown_flags()
    for verb, taken in VERBS:gmatch('{"([%l-]+)",%s*verb_[%l_]+,%s*{"([^"]*)"') do
      for name in taken:gmatch("%S+") do
        table.insert(expected, flags[name] and verb .. " " .. flags[name])
      end
    end
    table.insert(expected, "every verb " .. flags.help)
    for _, cells in ipairs(docs.rows(docs.section(REFERENCE, "## Flags"))) do
      local verbs = docs.code_spans(cells[2])
      for _, verb in ipairs(#verbs > 0 and verbs or { cells[2] }) do
        table.insert(listed, verb .. " " .. docs.code_spans(cells[1])[1])
      end
    end
    assert.same(sorted(expected), sorted(listed))
  end)

  it("lists the exit codes", function()
    local codes, listed = {}, {}
    for number in directory.read("runtime/exit_code.h"):gmatch("EXIT_%u+ = (%d+)") do
      table.insert(codes, number)
    end
    for _, cells in ipairs(docs.rows(docs.section(REFERENCE, "## Exit codes"))) do
      table.insert(listed, cells[1])
    end
    assert.same(codes, listed)
  end)
end)

describe("the README", function()
  it("lists the verbs", function()
    local verbs = {}
    for verb in VERBS:gmatch('{"([%l-]+)",%s*verb_') do
      table.insert(verbs, verb)
    end
    assert.same(sorted(verbs), first_spans(directory.read("README.md"), "## Command line"))
  end)
end)

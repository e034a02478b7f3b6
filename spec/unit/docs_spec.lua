local lfs = require("lfs")

local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local unit = require("unit")

local README = directory.read("README.md")
local PROGRAM = directory.read("runtime/README.md")

local function sorted(list)
  table.sort(list)
  return list
end

-- Variables without a default have to be set for the config to load.
local function set_environment(config)
  for name in config:gmatch('%f[%a]env%("([%w_]+)"%)') do
    unit.config.setenv(name, "kafka:9092")
  end
  for name in config:gmatch('%f[%a]secret%("([%w_]+)"%)') do
    unit.config.setenv(name, "a secret")
  end
end

describe("the README", function()
  it("shows Lua that compiles", function()
    for _, block in ipairs(docs.blocks(README)) do
      if block.language == "lua" then
        assert(load(block.text, ("=README.md:%d"):format(block.line), "t"))
      end
    end
  end)

  it("shows configs and handlers that pass the check", function()
    local examples = docs.examples(docs.blocks(README))
    assert.is_true(#examples >= 3)
    for _, files in ipairs(examples) do
      set_environment(files["config.lua"])
      local path = directory.with(files)
      directory.make(path .. "/scripts")
      assert(unit.bindings.check(path .. "/config.lua", path .. "/scripts"))
    end
  end)

  it("lists the exit codes", function()
    local codes, listed = {}, {}
    for number in directory.read("runtime/exit_code.h"):gmatch("EXIT_%u+ = (%d+)") do
      table.insert(codes, number)
    end
    for _, cells in ipairs(docs.rows(docs.section(README, "## Command line"))) do
      table.insert(listed, cells[1]:match("^%d+$"))
    end
    assert.same(codes, listed)
  end)

  it("lists the verbs and their flags as the help does", function()
    local verbs, listed = {}, {}
    -- Adjacent literals are one.
    local source = directory.read("runtime/main.c"):gsub('"\n%s*"', "")
    for usage in source:gmatch('"(lagoon %l[^"]*)",') do
      table.insert(verbs, (usage:gsub(" < [%l.]+$", "")))
    end
    for _, cells in ipairs(docs.rows(docs.section(README, "## Command line"))) do
      for _, span in ipairs(docs.code_spans(cells[1])) do
        table.insert(listed, span)
      end
    end
    assert.same(sorted(verbs), sorted(listed))
  end)
end)

describe("the map of the program", function()
  it("names every source file, and no other", function()
    local files, named = {}, {}
    for name in lfs.dir("runtime") do
      if name:find("%.c$") then
        table.insert(files, name)
      end
    end
    for _, cells in ipairs(docs.rows(docs.section(PROGRAM, "## Modules"))) do
      for _, span in ipairs(docs.code_spans(cells[2])) do
        table.insert(named, span:match("^.+%.c$"))
      end
    end
    assert.same(sorted(files), sorted(named))
  end)

  it("shows the order of the modules that is held", function()
    local held, shown = {}, {}
    local layers = directory.read("spec/unit/layering_spec.lua"):match("order = {\n(.-)\n  },")
    for layer in layers:gmatch("[^\n]+") do
      table.insert(held, (layer:gsub('^%s*{ "', ""):gsub('" },$', ""):gsub('", "', "  ")))
    end
    local block = docs.blocks(docs.section(PROGRAM, "## Modules"))[1]
    for line in block.text:gmatch("[^\n]+") do
      table.insert(shown, line)
    end
    assert.same(held, shown)
  end)

  it("reads along files that exist", function()
    for _, cells in ipairs(docs.rows(docs.section(PROGRAM, "## Reading order"))) do
      assert.is_truthy(lfs.attributes("runtime/" .. docs.code_spans(cells[1])[1]))
    end
  end)
end)

describe("the documents", function()
  it("link to what is there", function()
    for path, text in pairs({ ["README.md"] = README, ["runtime/README.md"] = PROGRAM }) do
      for target in text:gmatch("%]%(([^)#]+)[^)]*%)") do
        local place = (path:match("^.*/") or "") .. target
        assert(target:find("^https?:") or lfs.attributes(place), place .. " is not there")
      end
      for anchor in text:gmatch("%]%(#([^)]+)%)") do
        local is_there = false
        for heading in text:gmatch("\n#+ ([^\n]+)") do
          is_there = is_there or heading:lower():gsub("[^%w -]", ""):gsub(" ", "-") == anchor
        end
        assert(is_there, path .. " has no heading for #" .. anchor)
      end
    end
  end)
end)

local lfs = require("lfs")

local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local unit = require("unit")

local PROGRAM = directory.read("runtime/README.md")

local function sorted(list)
  table.sort(list)
  return list
end

-- The place that a link of the document at path means.
local function beside(path, target)
  local folder = path:match("^(.*/)") or ""
  while target:find("^%.%./") do
    folder, target = folder:gsub("[^/]+/$", ""), target:sub(4)
  end
  return folder .. target
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

describe("the documents", function()
  it("show Lua that compiles", function()
    for path, text in pairs(docs.all()) do
      for _, block in ipairs(docs.blocks(text)) do
        if block.language == "lua" then
          assert(load(block.text, ("=%s:%d"):format(path, block.line), "t"))
        end
      end
    end
  end)

  it("show configs and handlers that pass the check", function()
    local count = 0
    for _, text in pairs(docs.all()) do
      for _, files in ipairs(docs.examples(docs.blocks(text))) do
        set_environment(files["config.lua"])
        local path = directory.with(files)
        directory.make(path .. "/scripts")
        assert(unit.bindings.check(path .. "/config.lua", path .. "/scripts"))
        count = count + 1
      end
    end
    assert.is_true(count >= 4)
  end)

  it("link to what is there", function()
    local texts = docs.all()
    texts["runtime/README.md"] = PROGRAM
    for path, text in pairs(texts) do
      for _, link in ipairs(docs.links(text)) do
        local place = link.path == "" and path or beside(path, link.path)
        local is_web = link.path:find("^https?:")
        assert(is_web or lfs.attributes(place), ("%s: %s is not there"):format(path, place))
        assert(is_web or not link.anchor or docs.anchors(texts[place])[link.anchor],
          ("%s: %s has no heading for #%s"):format(path, place, link.anchor))
      end
    end
  end)

  it("are all found from the README", function()
    local linked = {}
    for _, link in ipairs(docs.links(directory.read("README.md"))) do
      linked[link.path] = true
    end
    for path in pairs(docs.all()) do
      assert(path == "README.md" or linked[path], "the README does not link to " .. path)
    end
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

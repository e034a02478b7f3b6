local lfs = require("lfs")

local directory = require("spec.support.directory")
local library = require("unit").library

---All files below lua/, as paths.
local function files_below(folder, found)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory" then
      files_below(path, found)
    elseif name:find("%.lua$") or folder == "lua/new" and name:sub(1, 1) ~= "." then
      table.insert(found, path)
    end
  end
  return found
end

local function module_of(path)
  return "lagoon." .. path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", ".")
end

describe("the built-in library", function()
  it("holds every Lua file byte for byte, under its name", function()
    local count = 0
    for _, path in ipairs(files_below("lua", {})) do
      if not path:find("%.d%.lua$") then
        local chunkname, bytes = library.find(module_of(path))
        assert.are.equal("@" .. path, chunkname)
        assert.is_true(bytes == directory.read(path), path .. " differs")
        count = count + 1
      end
    end
    assert.is_true(count > 0)
  end)

  it("holds no descriptions for editors", function()
    assert.is_nil((library.find("lagoon.lagoon.d")))
    assert.is_nil((library.find("lagoon.d")))
  end)

  it("holds nothing else", function()
    for _, module in ipairs({ "", "lagoon", "config", "lagoon.none", "lagoon.config." }) do
      assert.is_nil((library.find(module)), module)
    end
  end)
end)

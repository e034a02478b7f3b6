local directory = require("spec.support.directory")
local mounts = require("unit").mounts

-- A folder with an application, and what `look` finds in a list of {root, point}.
local function look(list)
  local folder = directory.with({
    ["app/config.lua"] = "",
    ["app/other.lua"] = "",
    ["app/secret.txt"] = "",
    ["app/deeper/far.lua"] = "",
    ["scripts/handlers/a b.lua"] = "",
  })
  local lines = {}
  for i, mount in ipairs(list) do
    lines[i] = ("%d 1 8:0 %s %s ro,relatime shared:1 - ext4 /dev/root rw"):format(i, mount[1],
      mount[2]:find("^/") and mount[2] or folder .. "/" .. mount[2])
  end
  local file = directory.write(folder .. "/mountinfo", table.concat(lines, "\n") .. "\n")
  local found = {}
  for path, fault in pairs(mounts.look(file, folder .. "/app/config.lua", folder .. "/scripts")) do
    found[path:sub(#folder + 2)] = fault
  end
  return found
end

describe("mounts", function()
  it("finds nothing where folders are mounted whole", function()
    assert.same({}, look({
      { "/", "/" },
      { "/srv/app", "app" },
      { "/var/lib/kubelet/pods/1/volumes/kubernetes.io~configmap/scripts", "scripts" },
    }))
  end)

  it("finds the config, a Lua file beside it and a script that are mounted alone", function()
    assert.same({
      ["app/config.lua"] = "file",
      ["app/other.lua"] = "file",
      ["scripts/handlers/a b.lua"] = "file",
    }, look({
      { "/", "/" },
      { "/srv/config.lua", "app/config.lua" },
      { "/srv/other.lua", "app/other.lua" },
      { "/srv/a.lua", [[scripts/handlers/a\040b.lua]] },
    }))
  end)

  it("passes over single files that are not read again", function()
    assert.same({}, look({
      { "/", "/" },
      { "/run/secret", "app/secret.txt" },
      { "/srv/far.lua", "app/deeper/far.lua" },
      { "/etc/hosts", "/etc/hosts" },
    }))
  end)

  it("finds a subPath of a ConfigMap", function()
    local version = "/volumes/kubernetes.io~configmap/lagoon/..2026_01_31_10_00_00.123/scripts"
    assert.same({ scripts = "subpath" }, look({ { "/", "/" }, { version, "scripts" } }))
    assert.same({ scripts = "subpath" }, look({ { version, "scripts" }, { "/", "/" } }))
    assert.same({ app = "subpath" }, look({ { "/", "/" }, { version, "app" } }))
    -- Another mount covers it.
    assert.same({}, look({ { "/", "/" }, { version, "scripts" }, { "/srv/scripts", "scripts" } }))
  end)

  it("finds nothing where there is no list, or it has other lines", function()
    assert.same({}, mounts.look("/nonexistent/mountinfo", "config.lua", "scripts"))
    local file = directory.write(directory.new() .. "/mountinfo", "\n1 2 3\n\n")
    assert.same({}, mounts.look(file, "config.lua", "scripts"))
  end)
end)

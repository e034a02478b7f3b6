-- What `make install` puts where, and that it works there.

local directory = require("spec.support.directory")
local docs = require("spec.support.docs")
local process = require("spec.support.process")
local uv = require("luv")

local BUILD = os.getenv("LAGOON_BUILD") or "build"

-- A make of its own, not one that takes part in the work of who runs the specs.
local ENVIRONMENT = { MAKEFLAGS = false, MAKELEVEL = false, MFLAGS = false }

local function make(goal, variables)
  local command = { "make", "--no-print-directory", goal, "BUILD=" .. BUILD, "SANITIZE=" }
  for name, value in pairs(variables) do
    table.insert(command, name .. "=" .. value)
  end
  local made = process.run(command, { env = ENVIRONMENT }, 60000)
  assert(made.code == 0, made:tail())
end

-- Paths below the folder; folders that hold nothing end in a slash.
local function contents(folder, prefix, found)
  found, prefix = found or {}, prefix or ""
  local entries, count = assert(uv.fs_scandir(folder)), 0
  for name, kind in function() return uv.fs_scandir_next(entries) end do
    count = count + 1
    if kind == "directory" then
      contents(folder .. "/" .. name, prefix .. name .. "/", found)
    else
      found[prefix .. name] = true
    end
  end
  if count == 0 then
    found[prefix] = true
  end
  return found
end

local function has(tool)
  return process.run({ "sh", "-c", "command -v " .. tool }).code == 0
end

describe("make install", function()
  it("puts all below DESTDIR, and make uninstall takes it away", function()
    local root = directory.new()
    make("install", { PREFIX = "/usr", DESTDIR = root })
    local found = contents(root)
    for _, path in ipairs({ "bin/lagoon", "lib/lua/5.4/lagoon/testing.so",
      "share/lagoon/lagoon.d.lua", "share/lagoon/testing.d.lua", "share/man/man1/lagoon.1",
      "share/doc/lagoon/README.md", "share/doc/lagoon/LICENSE",
      "share/doc/lagoon/docs/operating.md", "lib/systemd/system/lagoon@.service" }) do
      assert(found["usr/" .. path], path)
    end
    directory.write(root .. "/usr/share/doc/lagoon/mine", "stays")
    make("uninstall", { PREFIX = "/usr", DESTDIR = root })
    assert.same({ ["usr/share/doc/lagoon/mine"] = true, ["usr/bin/"] = true,
      ["usr/lib/lua/5.4/"] = true, ["usr/share/man/man1/"] = true,
      ["usr/lib/systemd/system/"] = true }, contents(root))
  end)

  describe("into a prefix", function()
    local prefix

    setup(function()
      prefix = directory.new()
      make("install", { PREFIX = prefix })
    end)

    it("has a program that runs and finds what editors read", function()
      local program = prefix .. "/bin/lagoon"
      local made = process.run({ program, "new", "shop" }, { directory = directory.new() })
      assert(made.code == 0, made:tail())
      local version = process.run({ program, "version" }):stdout():match("^lagoon (%S+)")
      assert.matches('"lagoon ' .. version .. '"', directory.read(prefix ..
        "/share/man/man1/lagoon.1"), 1, true)
    end)

    it("has a manual page with every verb, flag and exit code", function()
      local page = directory.read(prefix .. "/share/man/man1/lagoon.1")
      local reference = directory.read("docs/command-line.md")
      for _, heading in ipairs({ "## Verbs", "## Flags", "## Exit codes" }) do
        for _, cells in ipairs(docs.rows(docs.section(reference, heading))) do
          local first = docs.code_spans(cells[1])[1] or cells[1]
          assert(page:find(first:gsub("-", "\\-"), 1, true), first)
        end
      end
      if has("groff") then
        local set = process.run({ "groff", "-man", "-Tutf8", "-ww", "-z", prefix ..
          "/share/man/man1/lagoon.1" })
        assert.same({ 0, "" }, { set.code, set:stderr() })
      end
    end)

    it("has a unit that systemd takes and finds well hardened", function()
      if not has("systemd-analyze") then
        pending("systemd-analyze is not there")
        return
      end
      local folder = directory.new()
      local unit = folder .. "/lagoon@shop.service"
      directory.write(unit, directory.read(prefix .. "/lib/systemd/system/lagoon@.service"))
      local verified = process.run({ "systemd-analyze", "verify", "--man=no", unit })
      assert.same({ 0, "" }, { verified.code, verified:stderr() })
      -- In tenths: 1.5 of 10.
      local rated = process.run({ "systemd-analyze", "security", "--offline=true",
        "--threshold=15", unit })
      assert(rated.code == 0, rated:tail())
    end)

    it("has a unit that gives a stop more time than lagoon takes", function()
      local unit = directory.read(prefix .. "/lib/systemd/system/lagoon@.service")
      local limit = tonumber(unit:match("\nTimeoutStopSec=(%d+)s\n"))
      local takes = tonumber(directory.read("docs/configuration.md"):match(
        "`stop_timeout` | `\"(%d+)s\"`"))
      assert(limit > takes)
      assert.matches("\nExecStart=" .. prefix .. "/bin/lagoon run ", unit, 1, true)
    end)
  end)
end)

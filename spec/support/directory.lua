-- Folders and files of one spec, removed with it.

local lfs = require("lfs")
local uv = require("luv")

local scope = require("spec.support.scope")

local M = {}

---@param path string
function M.remove(path)
  local stat = uv.fs_lstat(path)
  if not stat then
    return
  end
  if stat.type ~= "directory" then
    assert(uv.fs_unlink(path))
    return
  end
  local entries = assert(uv.fs_scandir(path))
  for name in function() return uv.fs_scandir_next(entries) end do
    M.remove(path .. "/" .. name)
  end
  assert(uv.fs_rmdir(path))
end

---A new empty folder; it goes with the spec, or with the block when a setup made it.
---@return string path
function M.new()
  local parent = os.getenv("TMPDIR") or "/tmp"
  local path = assert(uv.fs_mkdtemp(parent .. "/lagoon-spec-XXXXXX"))
  scope.defer(function()
    M.remove(path)
  end)
  return path
end

---@param path string with all its parents
function M.make(path)
  local made = path:sub(1, 1) == "/" and "/" or ""
  for part in path:gmatch("[^/]+") do
    made = made .. part .. "/"
    if not uv.fs_stat(made) then
      assert(uv.fs_mkdir(made, tonumber("755", 8)))
    end
  end
end

---Writes a file; makes the folders above it.
---@param path string
---@param text string
---@return string path
function M.write(path, text)
  local parent = path:match("^(.*)/[^/]*$")
  if parent and parent ~= "" then
    M.make(parent)
  end
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  return path
end

---@param path string
---@return string
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

---The Lua files of a folder, without their ending, in order.
---@param path string
---@return string[]
function M.modules(path)
  local names = {}
  for file in lfs.dir(path) do
    table.insert(names, file:match("^(.+)%.lua$"))
  end
  table.sort(names)
  return names
end

---A new folder with these files: {["scripts/handlers/a.lua"] = "return ..."}.
---@param files table<string, string>
---@return string path
function M.with(files)
  local path = M.new()
  for name, text in pairs(files) do
    M.write(path .. "/" .. name, text)
  end
  return path
end

return M

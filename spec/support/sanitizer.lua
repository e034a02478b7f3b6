-- What a sanitizer changes for the program under test, and what it found.

local lfs = require("lfs")

local M = {}

local build = os.getenv("LAGOON_BUILD") or ""

---Memory is the sanitizer's to give, and more of it.
M.owns_memory = build:find("address", 1, true) ~= nil or build:find("thread", 1, true) ~= nil

---ThreadSanitizer holds signals back until the thread calls into the system: nothing ends a loop.
M.holds_signals = build:find("thread", 1, true) ~= nil

---Prints and removes what sanitizers wrote into their files; each file is a failure.
---@param folder? string
---@return integer count
function M.show_reports(folder)
  if not folder or lfs.attributes(folder, "mode") ~= "directory" then
    return 0
  end
  local count = 0
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if lfs.attributes(path, "mode") == "file" then
      count = count + 1
      print("\n--- a sanitizer's report, " .. path)
      for line in io.lines(path) do
        print(line)
      end
      os.remove(path)
    end
  end
  return count
end

return M

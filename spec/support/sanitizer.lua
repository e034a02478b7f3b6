-- What a sanitizer changes for the program under test.

local M = {}

---ThreadSanitizer holds signals back until the thread calls into the system: nothing ends a loop.
M.holds_signals = (os.getenv("LAGOON_BUILD") or ""):find("thread", 1, true) ~= nil

return M

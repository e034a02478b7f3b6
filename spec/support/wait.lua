-- Waits for a condition with a deadline while the loop of the processes under test goes round.

local uv = require("luv")

local M = {}

-- Under a sanitizer everything takes longer. Deadlines are multiplied by this here; a spec that
-- measures a time itself does so too.
M.patience = tonumber(os.getenv("LAGOON_SPEC_PATIENCE") or 1)

local POLL_MS = 10

---Returns what `condition` returns as soon as its first value is true. When it has not become true
---in time, raises `what` and the condition's second value, if it gave one.
---@param what string what is waited for, as it reads after "waited 5000 ms for"
---@param deadline_ms integer
---@param condition fun(): any, ...
function M.till(what, deadline_ms, condition)
  local deadline = uv.hrtime() + deadline_ms * M.patience * 1000000
  local timer = uv.new_timer()
  timer:start(POLL_MS, POLL_MS, function() end)
  local results
  repeat
    local is_late = uv.hrtime() >= deadline
    results = table.pack(pcall(condition))
    local is_over = is_late or not results[1] or results[2]
    if not is_over then
      uv.run("once")
    end
  until is_over
  timer:close()
  uv.run("nowait")

  if not results[1] then
    error(results[2], 0)
  elseif not results[2] then
    local state = results[3] and (": " .. tostring(results[3])) or ""
    error(("waited %d ms for %s%s"):format(deadline_ms * M.patience, what, state), 0)
  end
  return table.unpack(results, 2, results.n)
end

return M

-- What a spec started ends with the spec; what a setup started ends with the block around it.

local uv = require("luv")

local M = {}

local scopes = { {} }

function M.open()
  table.insert(scopes, {})
end

---Runs `finish` when the spec or block that runs now is over; the last one deferred runs first.
---@param finish fun()
function M.defer(finish)
  table.insert(scopes[#scopes], finish)
end

---Calls `start`; what it defers is run at the end of the whole run.
---@param start fun(): any
---@return any
function M.at_end(start)
  local inner = scopes
  scopes = { inner[1] }
  local results = table.pack(pcall(start))
  scopes = inner
  assert(table.unpack(results, 1, results.n))
  return table.unpack(results, 2, results.n)
end

---Runs everything that was deferred in the innermost scope, also when some of it raises.
function M.close()
  local finishers = scopes[#scopes]
  if #scopes > 1 then
    table.remove(scopes)
  else
    scopes[1] = {}
  end
  local failures = {}
  for i = #finishers, 1, -1 do
    local ok, message = pcall(finishers[i])
    if not ok then
      table.insert(failures, tostring(message))
    end
  end
  if #failures > 0 then
    error(table.concat(failures, "\n"), 0)
  end
end

---The last thing that a run does: closes what is open, and all handles of the loop, because the
---interpreter crashes at its end when some are left.
function M.finish()
  M.close()
  uv.walk(function(handle)
    if not handle:is_closing() then
      handle:close()
    end
  end)
  uv.run("default")
end

return M

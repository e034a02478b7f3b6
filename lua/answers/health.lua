-- `lagoon health` for a person. Argument: the answer. Results: the text, the exit code, which the
-- verb knows better.

local answer = ...

if answer.ready then
  return "ready\n", 0
end
local reasons = table.concat(answer.reasons, "; "):gsub("%c", "?")
return "not ready: " .. reasons .. "\n", 0

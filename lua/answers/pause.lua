-- `lagoon pause` for a person. Argument: the answer. Results: the text, the exit code.

local answer = ...

if answer.was_paused then
  return ("consumer %s is paused already\n"):format(answer.consumer), 0
end
local running = answer.running > 0
  and ("; %d handler%s that began still run%s"):format(answer.running,
    answer.running == 1 and "" or "s", answer.running == 1 and "s" or "") or ""
return ("consumer %s is paused%s\n"):format(answer.consumer, running), 0

-- `lagoon workers` for a person. Argument: the answer. Results: the text, the exit code.

local answer = ...

if answer.workers == 0 then
  return ("consumer %s has as many workers as its lag asks for\n"):format(answer.consumer), 0
end
return ("consumer %s: %d -> %d workers, for %d s\n"):format(answer.consumer, answer.from,
  answer.workers, answer.for_ms // 1000), 0

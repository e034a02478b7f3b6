-- `lagoon log-level` for a person. Argument: the answer. Results: the text, the exit code.

local answer = ...

return ("log level: %s -> %s, until the next reload\n"):format(answer.from, answer.level), 0

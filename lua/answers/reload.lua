-- `lagoon reload` and `lagoon rollback` for a person. Argument: the answer. Results: the text, the
-- exit code, which the verb knows better.

local answer = ...

local function behind(text)
  return text and ": " .. text or ""
end

local words = {
  done = function()
    local text = ("reloaded, generation %d runs, hash %s%s"):format(answer.generation,
      answer.hash, behind(answer.text))
    if answer.restart then
      text = ("%s\nthese changes take effect only when the process is started again: %s"):format(
        text, answer.restart)
    end
    return text
  end,
  unchanged = function()
    return ("nothing has changed, generation %d goes on"):format(answer.generation)
  end,
  refused = function()
    return ("reload refused, still running generation %d%s"):format(answer.generation,
      behind(answer.text))
  end,
  pending = function()
    return "the reload is still under way; the log will say how it ends"
  end,
}

-- Lines and tabs are a traceback's; other control characters are somebody's text.
return (words[answer.state]():gsub("[^\n\t\x20-\x7e\x80-\xff]", "?")) .. "\n", 0

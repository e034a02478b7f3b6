-- `lagoon reload` and `lagoon rollback` for a person. Argument: the answer. Results: the text, the
-- exit code, which the verb knows better.

local answer = ...

local function behind(text)
  return text and ": " .. text or ""
end

local CHANGES = {
  { "started", "consumers that start" },
  { "stopped", "consumers that stop" },
  { "restarted", "consumers that leave their group and join anew" },
  { "resumed", "stopped partitions that go on" },
  { "restart", "these changes take effect only when the process is started again" },
}

local words = {
  done = function()
    local lines = { ("reloaded, generation %d runs, hash %s%s"):format(answer.generation,
      answer.hash, behind(answer.text)) }
    for _, change in ipairs(CHANGES) do
      if answer[change[1]] then
        table.insert(lines, change[2] .. ": " .. answer[change[1]])
      end
    end
    return table.concat(lines, "\n")
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

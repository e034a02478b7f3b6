-- What is wrong with a config, collected: every problem with its line, no secret in any of them.

local words = require("lagoon.config.words")

---@class lagoon.config.Report
---@field path string the file, as messages name it
---@field notices { line: integer?, text: string }[]
---@field problems table[]
---@field secrets table<string, boolean>
---@field stand_ins table<string, boolean>
local Report = {}
Report.__index = Report

local M = {}

---@param path string
---@return lagoon.config.Report
function M.new(path)
  return setmetatable({
    path = path,
    problems = {},
    notices = {},
    secrets = {},
    stand_ins = {},
  }, Report)
end

---@param value string never to be printed
function Report:add_secret(value)
  if value ~= "" then
    self.secrets[value] = true
  end
end

---A value that stands in for one that is missing. What is wrong with it is not the user's fault.
---@param value string
function Report:add_stand_in(value)
  self.stand_ins[value] = true
end

---@param value any
---@return boolean # whether a stand-in is somewhere in it
function Report:holds_stand_in(value)
  if type(value) == "string" then
    for stand_in in pairs(self.stand_ins) do
      if value:find(stand_in, 1, true) then
        return true
      end
    end
  end
  return false
end

---The longest first: one secret may be a part of another.
---@return string[]
function Report:list_secrets()
  local list = {}
  for secret in pairs(self.secrets) do
    list[#list + 1] = secret
  end
  table.sort(list, function(a, b)
    return #a ~= #b and #a > #b or #a == #b and a < b
  end)
  return list
end

---@param text string
---@return string
function Report:redact(text)
  for _, secret in ipairs(self:list_secrets()) do
    text = words.replace(text, secret, "<secret>")
  end
  return text
end

---@param value any
---@return string # as a message shows it
function Report:show(value)
  if type(value) == "string" then
    value = self:redact(value)
  end
  return words.describe(value)
end

---@param line integer?
---@param path string? the key
---@param what string
---@param got any what is there instead, when that is worth showing
---@param meant string? what may have been meant
function Report:problem(line, path, what, got, meant)
  local text = path and path ~= "" and path .. ": " .. what or what
  table.insert(self.problems, {
    line = line, order = #self.problems, text = text, got = got, meant = meant,
  })
end

---@param count integer of problems that stay; the later ones go
function Report:drop_problems(count)
  for i = #self.problems, count + 1, -1 do
    self.problems[i] = nil
  end
end

---@param line integer?
---@param what string
function Report:notice(line, what)
  table.insert(self.notices, { line = line, text = what })
end

-- Only when all secrets are known.
function Report:line(message)
  local place = message.line and ("%s:%d"):format(self.path, message.line) or self.path
  local got = message.got ~= nil and ", got " .. self:show(message.got) or ""
  local text = self:redact(message.text .. got .. words.did_you_mean(message.meant))
  return place .. ": " .. words.one_line(text)
end

---@return string[] # the problems sorted by line, each once
function Report:list_problems()
  table.sort(self.problems, function(a, b)
    local line_a, line_b = a.line or 0, b.line or 0
    return line_a < line_b or line_a == line_b and a.order < b.order
  end)
  local list, seen = {}, {}
  for _, problem in ipairs(self.problems) do
    local line = self:line(problem)
    if not seen[line] then
      seen[line] = true
      table.insert(list, line)
    end
  end
  return list
end

---@return string[]
function Report:list_notices()
  local list = {}
  for i, notice in ipairs(self.notices) do
    list[i] = notice.line and self:line(notice) or words.one_line(self:redact(notice.text))
  end
  return list
end

return M

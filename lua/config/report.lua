-- What is wrong with a config, collected: every problem with its line, no secret in any of them.

local chunks = require("lagoon.config.chunks")
local files = require("lagoon.config.files")
local lines = require("lagoon.config.lines")
local words = require("lagoon.config.words")

---@class lagoon.config.Report
---@field chunks lagoon.config.Chunks the files
---@field origins table<table, lagoon.config.Entry> of tables that another file or --set gave
---@field read table<string, boolean> paths of the files that were read beside the config
---@field variables table<string, boolean> what was asked of the environment
---@field notices { at: lagoon.config.At?, text: string }[]
---@field problems table[]
---@field secrets table<string, boolean>
---@field stand_ins table<any, boolean>
local Report = {}
Report.__index = Report

local M = {}

---@param path string
---@param directory string of the path
---@param last_line fun(): integer that ran in the config
---@return lagoon.config.Report
function M.new(path, directory, last_line)
  local report = setmetatable({
    chunks = chunks.new(last_line),
    origins = {},
    read = {},
    variables = {},
    problems = {},
    notices = {},
    secrets = {},
    stand_ins = {},
  }, Report)
  report.chunks:enter(report.chunks:add(path, directory))
  return report
end

---@param value string never to be printed
function Report:add_secret(value)
  if value ~= "" then
    self.secrets[value] = true
  end
end

---A value that stands in for one that is missing. What is wrong with it is not the user's fault.
---@param value string|table
function Report:add_stand_in(value)
  self.stand_ins[value] = true
end

---@param value any
---@return boolean # whether a stand-in is somewhere in it
function Report:holds_stand_in(value)
  if type(value) == "string" then
    for stand_in in pairs(self.stand_ins) do
      if type(stand_in) == "string" and value:find(stand_in, 1, true) then
        return true
      end
    end
  end
  return type(value) == "table" and self.stand_ins[value] == true
end

local function keys(set, comes_first)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list, comes_first)
  return list
end

---@return string[]
function Report:list_files()
  return keys(self.read)
end

---@param name string
---@return string # empty when it is not set
function Report:variable(name)
  self.variables[name] = true
  return os.getenv(name) or ""
end

---@return string[]
function Report:list_variables()
  return keys(self.variables)
end

---The longest first: one secret may be a part of another.
---@return string[]
function Report:list_secrets()
  return keys(self.secrets, function(a, b)
    return #a ~= #b and #a > #b or #a == #b and a < b
  end)
end

---@param text string
---@return string
function Report:redact(text)
  for _, secret in ipairs(self:list_secrets()) do
    text = words.redact(text, secret)
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

---@param at lagoon.config.At?
---@param path string? the key
---@param what string
---@param got any what is there instead, when that is worth showing
---@param meant string? what may have been meant
function Report:problem(at, path, what, got, meant)
  local is_named = not path or path == "" or at and at.file and at.file.set == path
  local text = is_named and what or path .. ": " .. what
  table.insert(self.problems, {
    at = at, order = #self.problems, text = text, got = got, meant = meant,
  })
end

---@param count integer of problems that stay; the later ones go
function Report:drop_problems(count)
  for i = #self.problems, count + 1, -1 do
    self.problems[i] = nil
  end
end

---@param at lagoon.config.At?
---@param what string
function Report:notice(at, what)
  table.insert(self.notices, { at = at, text = what })
end

---@param path string as the program can open it
---@return string? text
---@return string? problem why there is none
function Report:read_file(path)
  self.read[path] = true
  return files.read_text(path)
end

---@param at lagoon.config.At?
---@return string # config.lua:12
function Report:place(at)
  local file = at and at.file or self.chunks.list[1]
  return at and at.line and ("%s:%d"):format(file.path, at.line) or file.path
end

-- Only when all secrets are known.
function Report:line(message)
  local got = message.got ~= nil and ", got " .. self:show(message.got) or ""
  local text = self:redact(message.text .. got .. words.did_you_mean(message.meant))
  return self:place(message.at) .. ": " .. words.one_line(text)
end

---@return string[] # the problems sorted by file and line, each once
function Report:list_problems()
  table.sort(self.problems, function(a, b)
    local rank_a, rank_b = lines.rank(a.at), lines.rank(b.at)
    return rank_a < rank_b or rank_a == rank_b and a.order < b.order
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
    list[i] = notice.at and self:line(notice) or words.one_line(self:redact(notice.text))
  end
  return list
end

return M

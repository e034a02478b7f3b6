-- A value's place in a config, which its problems name: path and line.

local lines = require("lagoon.config.lines")
local words = require("lagoon.config.words")

local M = {}

---@class lagoon.config.Place
---@field report lagoon.config.Report
---@field natives lagoon.config.Natives
---@field options lagoon.config.Options
---@field path string
---@field given any what was written there
---@field entry lagoon.config.Entry
---@field suspects table<string, boolean> keys that a misspelt one here may have meant
local Place = {}
Place.__index = Place

---@param key any
---@return lagoon.config.Place # of the value under a key
function Place:child(key)
  local shown = type(key) == "string" and self.report:redact(key) or key
  local given = type(self.given) == "table" and self.given[key] or nil
  return setmetatable({
    report = self.report,
    natives = self.natives,
    options = self.options,
    path = words.path(self.path, shown),
    given = given,
    entry = self.report.origins[given] or lines.child(self.entry, key),
    suspects = {},
  }, Place)
end

---@param what string
---@param got any what is there instead, when that is worth showing
---@param meant string? what may have been meant
function Place:problem(what, got, meant)
  self.report:problem(self.entry, self.path, what, got, meant)
end

---Keys that stand twice in the table.
function Place:report_doubles()
  for _, double in ipairs(self.entry.body and self.entry.body.doubles or {}) do
    self.report:problem({ file = self.entry.file, line = double.line },
      self:child(double.key).path, ("is written twice, first on line %d"):format(double.first))
  end
end

---@param given table
---@return any[] # its keys in the order of the file
function Place:keys(given)
  local keys, order = {}, {}
  for key in pairs(given) do
    table.insert(keys, key)
    order[key] = lines.rank(lines.child(self.entry, key))
  end
  table.sort(keys, function(a, b)
    return order[a] < order[b] or order[a] == order[b] and words.describe(a) < words.describe(b)
  end)
  return keys
end

---@param given table
---@param entry lagoon.config.Entry
---@param report lagoon.config.Report
---@param options lagoon.config.Options
---@param natives lagoon.config.Natives
---@return lagoon.config.Place # of the whole table
function M.top(given, entry, report, options, natives)
  return setmetatable({
    report = report, natives = natives, options = options, path = "", given = given,
    entry = report.origins[given] or entry, suspects = {},
  }, Place)
end

return M

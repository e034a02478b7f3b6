-- A line of the screen of `lagoon top`, before it is painted.

local words = require("lagoon.top.words")

---@class lagoon.top.Line
---@field text string
---@field style string? bad, warn, head, bold, dim

---@param text string
---@param style string?
---@return lagoon.top.Line
return function(text, style)
  return { text = words.clean(text), style = style }
end

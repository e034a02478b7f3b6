-- Keys that the schema does not know, and the ones that they may have meant.

local words = require("lagoon.config.words")

local M = {}

---The key that each was meant to be is noted in place.suspects, so that it is not missed too.
---@param row lagoon.config.Row of a record
---@param given table
---@param place lagoon.config.Place
function M.report(row, given, place)
  local known, names, others = {}, {}, {}
  for _, field in ipairs(row.fields) do
    known[field.key] = true
    table.insert(names, field.key)
    for _, other in ipairs(field.also or {}) do
      others[other] = field.key
    end
  end
  for _, key in ipairs(place:keys(given)) do
    if not known[key] then
      local meant = others[key] or words.nearest(key, names)
      place.suspects[meant or ""] = true
      place:child(key):problem("unknown key", nil, meant)
    end
  end
end

return M

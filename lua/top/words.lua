-- How `lagoon top` writes numbers, times and names: short, and of a width that is known.

local shared = require("lagoon.words")

local M = {}

---Text that may stand on a terminal: what would steer it becomes a question mark.
---@param text string
---@return string
function M.clean(text)
  return (text:gsub("%c", "?"):gsub("\xc2[\x80-\x9f]", "?"))
end

---@param text string UTF-8
---@return integer # in characters; of what is no UTF-8 in bytes
function M.width(text)
  return utf8.len(text) or #text
end

---The first `width` characters.
---@param text string
---@param width integer
---@return string
function M.cut(text, width)
  if M.width(text) <= width then
    return text
  end
  return text:sub(1, (utf8.len(text) and utf8.offset(text, width + 1) or width + 1) - 1)
end

---In exactly so many characters; where the text is longer its end is left out, which shows.
---@param text string
---@param width integer negative: the text stands on the right
---@return string
function M.fit(text, width)
  local room = math.abs(width)
  if M.width(text) > room then
    text = M.cut(text, math.max(room - 1, 0)) .. (room > 0 and "~" or "")
  end
  local space = (" "):rep(room - M.width(text))
  return width < 0 and space .. text or text .. space
end

---In five characters at most: 0, 0.4, 7, 950, 1.2k, 120k, 3.4M
---@param amount number from 0
---@return string
function M.number(amount)
  for _, unit in ipairs({ { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } }) do
    if amount >= unit[1] * 0.9995 then
      local shown = amount / unit[1]
      return (shown < 9.95 and "%.1f%s" or "%.0f%s"):format(shown, unit[2])
    end
  end
  local is_small = amount < 9.95 and amount >= 0.05 and amount % 1 ~= 0
  return (is_small and "%.1f" or "%.0f"):format(amount)
end

---@param change number
---@return string # with its sign, but for nothing
function M.signed(change)
  local text = M.number(math.abs(change))
  if text == "0" then
    return text
  end
  return (change < 0 and "-" or "+") .. text
end

---@param seconds number
---@return string # 42s, 2m 30s, 3h 20m
function M.duration(seconds)
  return shared.duration(math.floor(seconds) * 1000)
end

---@param us number microseconds
---@return string # 250us, 2.5ms, 30s
function M.latency(us)
  for _, unit in ipairs({ { 60000000, "m" }, { 1000000, "s" }, { 1000, "ms" } }) do
    if us >= unit[1] then
      return ("%g%s"):format(us / unit[1], unit[2])
    end
  end
  return ("%gus"):format(us)
end

M.size, M.count = shared.size, shared.count

return M

-- How messages put things: values, lists of choices, what somebody may have meant.

local M = {}

local MAX_SHOWN = 60

---Plain text in place of plain text, everywhere.
---@param text string
---@param old string not empty
---@param new string
---@return string
function M.replace(text, old, new)
  return (text:gsub(old:gsub("%p", "%%%0"), (new:gsub("%%", "%%%%"))))
end

local SHORT = 4

---Takes a secret out. One so short that it is a part of common words only where it is a whole word,
---or it could be guessed from the gaps. The C side has the same rule.
---@param text string
---@param secret string not empty
---@return string
function M.redact(text, secret)
  if #secret >= SHORT then
    return M.replace(text, secret, "<secret>")
  end
  local pattern = secret:gsub("%p", "%%%0")
  local front = secret:find("^%w") and "%f[%w]" or ""
  local back = secret:find("%w$") and "%f[%W]" or ""
  return (text:gsub(front .. pattern .. back, "<secret>"))
end

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r" }

---@param text string
---@return string # without control characters
function M.one_line(text)
  return (text:gsub("%c", function(character)
    return escapes[character] or ("\\%d"):format(character:byte())
  end))
end

---@param text string
---@return string # quoted, cut when it is long
function M.quote(text)
  local cut = #text > MAX_SHOWN and text:sub(1, MAX_SHOWN) .. "..." or text
  return '"' .. M.one_line((cut:gsub('["\\]', "\\%0"))) .. '"'
end

---@param value any
---@return string
function M.describe(value)
  local kind = type(value)
  if kind == "string" then
    return M.quote(value)
  elseif kind == "number" or kind == "boolean" or kind == "nil" then
    return tostring(value)
  end
  return "a " .. kind
end

---@param choices string[]
---@return string # "a", "b" or "c"
function M.choices(choices)
  local quoted = {}
  for i, choice in ipairs(choices) do
    quoted[i] = '"' .. choice .. '"'
  end
  local last = table.remove(quoted)
  return #quoted > 0 and table.concat(quoted, ", ") .. " or " .. last or last
end

---A key's path: consumers.orders.group, consumers["a b"].group, topics[2].
---@param path string of the table; empty at the top
---@param key any
---@return string
function M.path(path, key)
  if type(key) == "string" and key:find("^[%a_][%w_-]*$") then
    return path == "" and key or path .. "." .. key
  end
  return ("%s[%s]"):format(path, M.describe(key))
end

-- The number of letters to insert, leave out, change or swap with their neighbour.
local function distance(a, b)
  local rows = { [0] = {} }
  for j = 0, #b do
    rows[0][j] = j
  end
  for i = 1, #a do
    rows[i] = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local best = math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, rows[i - 2][j - 2] + 1)
      end
      rows[i][j] = best
    end
  end
  return rows[#a][#b]
end

-- "warning" for warn, "part" for partition.
local function begins_alike(a, b)
  local shorter = math.min(#a, #b)
  return shorter >= 3 and a:sub(1, shorter) == b:sub(1, shorter)
end

---@param word any what was written
---@param candidates string[]
---@return string? # the nearest that is near enough
function M.nearest(word, candidates)
  if type(word) ~= "string" or #word > MAX_SHOWN then
    return nil
  end
  word = word:lower()
  local best, best_distance
  for _, candidate in ipairs(candidates) do
    local apart = distance(word, candidate:lower())
    local limit = math.max(1, math.max(#word, #candidate) // 3)
    local is_near = apart <= limit or begins_alike(word, candidate:lower())
    if is_near and (not best_distance or apart < best_distance) then
      best, best_distance = candidate, apart
    end
  end
  return best
end

---@param suggestion string?
---@return string # to put behind a sentence
function M.did_you_mean(suggestion)
  local is_short = suggestion and #suggestion <= MAX_SHOWN
  return is_short and (", did you mean '%s'?"):format(suggestion) or ""
end

return M

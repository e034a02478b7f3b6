-- Figures and names in the words of an answer for people.

local M = {}

---@param ms integer
---@return string 3h 20m
function M.duration(ms)
  local seconds = ms // 1000
  local units = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } }
  for i, unit in ipairs(units) do
    if seconds >= unit[1] then
      local rest = seconds % unit[1]
      local next_unit = units[i + 1]
      local text = seconds // unit[1] .. unit[2]
      return next_unit and ("%s %d%s"):format(text, rest // next_unit[1], next_unit[2]) or text
    end
  end
  return "0s"
end

function M.count(number, word)
  return ("%d %s%s"):format(number, word, number == 1 and "" or "s")
end

function M.size(bytes)
  for i, unit in ipairs({ "GiB", "MiB", "KiB" }) do
    local amount = bytes / 1024 ^ (4 - i)
    if amount >= 1 then
      return ("%.4g %s"):format(amount, unit)
    end
  end
  return M.count(bytes, "byte")
end

---The name in `width` columns: the middle of a longer one is left out.
function M.fit(name, width)
  if #name <= width then
    return name
  end
  local half = (width - 2) // 2
  return name:sub(1, half) .. ".." .. name:sub(-(width - 2 - half))
end

---The first unit alone, for a column.
function M.short(ms)
  return M.duration(ms):match("^%S+")
end

function M.cut(line, width)
  return #line <= width and line or line:sub(1, utf8.offset(line, 0, width - 1) - 1) .. ".."
end

---Lines of at most `width` columns.
function M.wrapped(text, width)
  local broken, column = "", 0
  for word in text:gmatch("%S+") do
    local is_first = column == 0 or column + 1 + #word > width
    broken = broken .. (column == 0 and "" or is_first and "\n" or " ") .. word
    column = is_first and #word or column + 1 + #word
  end
  return broken:gmatch("[^\n]+")
end

return M

---The lines of a text that are not empty.
---@param text string
---@return string[]
return function(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    table.insert(list, line)
  end
  return list
end

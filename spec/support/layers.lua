-- Reads which header includes which, and compares that with the order that the modules shall have.

local M = {}

---@class spec.Layers
---@field order string[][] from the top: a module includes its own layer and those below
---@field members table<string, string[]> further files of a module, beside NAME and NAME_...
---@field libraries table<string, string[]> a pattern of system headers -> who may include them

---The module that a file belongs to: the longest of the known names that is its name or begins it.
local function module_of(file, layers)
  local base = file:match("([^/]+)%.[ch]$")
  local found
  for _, layer in ipairs(layers.order) do
    for _, name in ipairs(layer) do
      local begins = base == name or base:sub(1, #name + 1) == name .. "_"
      if begins and (not found or #name > #found) then
        found = name
      end
    end
  end
  for name, files in pairs(layers.members) do
    for _, member in ipairs(files) do
      if member == base then
        found = name
      end
    end
  end
  return found
end

local function ranks_of(layers)
  local ranks = {}
  for rank, layer in ipairs(layers.order) do
    for _, name in ipairs(layer) do
      ranks[name] = rank
    end
  end
  return ranks
end

local function contains(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then
      return true
    end
  end
  return false
end

local function check_libraries(file, module, text, layers, problems)
  for header in text:gmatch("#include%s*<([^>]+)>") do
    for pattern, allowed in pairs(layers.libraries) do
      if header:find(pattern) and not contains(allowed, module) then
        table.insert(problems, ("%s includes <%s>"):format(file, header))
      end
    end
  end
end

---Follows `edges` from `node`; a node met again on the way back to itself closes a circle.
local function find_circle(edges, node, path, done)
  if done[node] then
    return nil
  end
  for i, other in ipairs(path) do
    if other == node then
      return table.concat(path, " > ", i) .. " > " .. node
    end
  end
  table.insert(path, node)
  local followers = {}
  for follower in pairs(edges[node] or {}) do
    table.insert(followers, follower)
  end
  table.sort(followers)
  for _, follower in ipairs(followers) do
    local circle = find_circle(edges, follower, path, done)
    if circle then
      return circle
    end
  end
  table.remove(path)
  done[node] = true
end

local function check_circles(edges, problems)
  local done, nodes = {}, {}
  for node in pairs(edges) do
    table.insert(nodes, node)
  end
  table.sort(nodes)
  for _, node in ipairs(nodes) do
    local circle = find_circle(edges, node, {}, done)
    if circle then
      table.insert(problems, circle)
      return
    end
  end
end

local function connect(edges, from, to)
  edges[from] = edges[from] or {}
  edges[from][to] = true
end

---What is wrong, one line each, sorted. Modules may not form a circle; in a module, which may be
---several files around a header of their own, headers may not.
---@param sources table<string, string> path -> text
---@param layers spec.Layers
---@return string[]
function M.check(sources, layers)
  local ranks = ranks_of(layers)
  local problems, modules, headers = {}, {}, {}
  for file, text in pairs(sources) do
    local module = module_of(file, layers)
    if not module then
      table.insert(problems, file .. " has no place in the order")
    else
      check_libraries(file, module, text, layers, problems)
    end
    for included in text:gmatch('#include%s*"([^"]+)"') do
      local other = module_of(included, layers)
      if module and other and ranks[other] < ranks[module] then
        table.insert(problems, ("%s includes %s, which is above it"):format(file, included))
      end
      if module and other and other ~= module then
        connect(modules, module, other)
      end
      if file:find("%.h$") then
        connect(headers, file:match("[^/]+$"), included)
      end
    end
  end
  check_circles(modules, problems)
  check_circles(headers, problems)
  table.sort(problems)
  return problems
end

return M

-- Run by busted before the specs: lets them require the runtime's Lua library as the program does,
-- lua/config/schema.lua being lagoon.config.schema.

local function find_library(module)
  local name = module:match("^lagoon%.(.+)$")
  if not name then
    return nil
  end
  local base = "lua/" .. name:gsub("%.", "/")
  for _, path in ipairs({ base .. ".lua", base .. "/init.lua" }) do
    local chunk, message = loadfile(path, "t")
    if chunk then
      return chunk, path
    end
    if not message:find("cannot open", 1, true) then
      error(message, 0)
    end
  end
  return "\n\tno file '" .. base .. ".lua'"
end

table.insert(package.searchers, 2, find_library)

-- Handlers that never end, or take all memory, beside others that wait in the same Lua states.

local hostile = require("spec.support.hostile")
local hostility = require("spec.chaos.hostility")

local CPU_LIMIT_MS = 200
local ALLOWED_MS = 100

local function judge_ends(rig)
  local texts, is_good = {}, rig.count > 0
  for _, kind in ipairs(hostile.kinds) do
    local worst = rig.worst[kind.name]
    is_good = is_good and worst ~= nil and worst <= CPU_LIMIT_MS + ALLOWED_MS
    table.insert(texts, ("%s %d ms"):format(kind.name, worst or -1))
  end
  return is_good, ("%d of each kind, longest from begin to failure, cpu_limit %d ms: %s; %d Lua "
    .. "states replaced"):format(rig.count, CPU_LIMIT_MS, table.concat(texts, ", "),
    hostility.replaced(rig))
end

return {
  says = "100 each of endless loops in all places, floods and recursions; neighbours wait beside",
  records = 1000,
  count = 100,
  rate = 40,
  keys = 500,
  members = 1,
  may_repeat = false,
  config = { lua = { memory_limit = "32MiB" } },
  consumer = { workers = 2, cpu_limit = CPU_LIMIT_MS .. "ms", on_error = { retries = 0 } },
  event = function(_, _, rig)
    return hostility.event(rig)
  end,
  faults = function(rig)
    local sends = hostility.new(rig)
    rig.worst = {}
    for _, kind in ipairs(hostile.kinds) do
      for _ = 1, rig.count do
        local place, line = sends:send({ hostile = kind.name }), nil
        rig:wait("the end of a handler: " .. kind.name, 60000, function()
          line = sends:given_up(place)
          return line
        end)
        rig.worst[kind.name] = math.max(rig.worst[kind.name] or 0, hostility.between(place, line))
      end
      rig:fault("%d times %s: %d ms at most", rig.count, kind.name, rig.worst[kind.name])
    end
  end,
  checks = { { letter = "W", judge = judge_ends } },
}

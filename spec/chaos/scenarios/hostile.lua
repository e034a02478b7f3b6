-- Handlers that never end, or take all memory, beside others that wait in the same Lua states.

local hostile = require("spec.support.hostile")
local hostility = require("spec.chaos.hostility")

local CPU_LIMIT_MS = 200
local ALLOWED_MS = 100

local function judge_ends(rig)
  local texts, is_good = {}, rig.count > 0
  for _, kind in ipairs(hostile.kinds) do
    local worst = rig.worst[kind.name]
    is_good = is_good and worst ~= nil and worst.cpu_ms <= CPU_LIMIT_MS + ALLOWED_MS
    table.insert(texts, worst and ("%s %d (%d)"):format(kind.name, worst.cpu_ms, worst.wall_ms))
  end
  return is_good, ("%d of each kind, cpu_limit %d ms; most milliseconds of CPU time (by the wall, "
    .. "from begin to failure): %s; %d Lua states replaced"):format(rig.count, CPU_LIMIT_MS,
    table.concat(texts, ", "), hostility.replaced(rig))
end

-- Sends one and waits for its end.
local function play(rig, sends, kind)
  local one, line = sends:send({ hostile = kind.name }), nil
  rig:wait("the end of a handler: " .. kind.name, 60000, function()
    line = sends:given_up(one)
    return line
  end)
  local worst = rig.worst[kind.name] or { cpu_ms = 0, wall_ms = 0 }
  worst.cpu_ms = math.max(worst.cpu_ms, sends:cpu_ms(one))
  worst.wall_ms = math.max(worst.wall_ms, hostility.between(one, line))
  rig.worst[kind.name] = worst
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
  event = hostility.event,
  faults = function(rig)
    local sends = hostility.new(rig)
    rig.worst = {}
    for _, kind in ipairs(hostile.kinds) do
      for _ = 1, rig.count do
        play(rig, sends, kind)
      end
      rig:fault("%d times %s: %d ms of CPU time at most", rig.count, kind.name,
        rig.worst[kind.name].cpu_ms)
    end
  end,
  checks = { { letter = "W", judge = judge_ends } },
}

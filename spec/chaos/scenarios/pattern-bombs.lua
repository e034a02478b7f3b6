-- Handlers that hang in a C function, which nothing ends: each worker is named and replaced, until
-- the function returns.

local hostile = require("spec.support.hostile")
local hostility = require("spec.chaos.hostility")

-- Longer than a worker may be silent before it is named, which is 10 s after its limit.
local BOMB_S = 13
-- A core each.
local AT_ONCE = 2
local STUCK = "^consumer orders: worker %d+ is stuck: "

local function judge_bombs(rig)
  return #rig.bombs == rig.count and rig.named == rig.count,
    ("%d pattern bombs of %d s, %d workers named stuck, each of them came back; %d Lua states "
    .. "replaced"):format(#rig.bombs, BOMB_S, rig.named, hostility.replaced(rig))
end

return {
  says = "100 pattern bombs, two at a time: the worker is named, another takes its place",
  records = 1000,
  count = 100,
  rate = 40,
  keys = 500,
  members = 1,
  may_repeat = false,
  -- Its neighbours wait for as long as the bomb keeps their worker.
  consumer = { workers = 4, cpu_limit = "200ms", handler_timeout = "5m",
    on_error = { retries = 0 } },
  event = hostility.event,
  faults = function(rig)
    local sends = hostility.new(rig)
    local length = hostile.bomb_length(BOMB_S)
    rig.bombs, rig.named = {}, 0
    local ended = 0
    while ended < rig.count do
      if #rig.bombs < rig.count and #rig.bombs - ended < AT_ONCE then
        table.insert(rig.bombs, sends:send({ hostile = hostile.PATTERN_BOMB, length = length }))
      end
      rig:pass(100)
      local bomb = rig.bombs[ended + 1]
      if sends:given_up(bomb) then
        ended = ended + 1
        rig.named = rig.named + (sends:line(bomb, STUCK) and 1 or 0)
        rig:fault("bomb %d of %d is over", ended, rig.count)
      end
    end
  end,
  checks = { { letter = "W", judge = judge_bombs } },
}

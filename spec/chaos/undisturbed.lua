-- What a scenario must not disturb: how long other records take, and who has which partitions.

local M = {}

-- Below this the machine's noise decides, and not the program.
local FLOOR_MS = 20

local function p99(times)
  table.sort(times)
  return times[math.ceil(#times * 0.99)] or 0
end

---Whether records took less than twice as long beside what happens (`rig.beside`, a list of
---milliseconds) as without it (`rig.without`).
---@param rig table
---@return boolean is_good
---@return integer beside_ms p99
---@return integer without_ms p99
---@return integer limit_ms
function M.latency(rig)
  local without, beside = p99(rig.without), p99(rig.beside)
  local limit = 2 * math.max(without, FLOOR_MS)
  return beside < limit, beside, without, limit
end

---No member was given partitions again, or lost them.
---@param rig table
---@return boolean is_good
---@return string text
function M.judge_rebalances(rig)
  local assigned, lost = 0, 0
  for _, member in ipairs(rig.members.all) do
    assigned = assigned + #member.run:log("^consumer orders: assigned")
    lost = lost + #member.run:log("^consumer orders: lost")
  end
  return assigned == #rig.members.all and lost == 0,
    ("%d assignments of %d members, %d lost"):format(assigned, #rig.members.all, lost)
end

return M

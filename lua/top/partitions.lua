-- The partitions of a consumer between two looks: what is in trouble, where the lag goes.

local M = {}

-- Partitions in trouble come first, in this order.
local TROUBLE = { stopped = 1, stalled = 2, ["given back"] = 3 }

---@class lagoon.top.Partition
---@field status table the answer's
---@field trouble string? stopped, stalled, given back
---@field trend number? what its lag gains a second

local function place(partition)
  return partition.topic .. "/" .. partition.partition
end

local function trouble_of(partition)
  return partition.is_stopped and "stopped" or partition.stalled and "stalled"
    or partition.is_revoking and "given back" or nil
end

---@param before table? the consumer's status; nil: it is new
---@param now table
---@param seconds number between them
---@return lagoon.top.Partition[] # in trouble first, then by lag
function M.compare(before, now, seconds)
  local known, list = {}, {}
  for _, partition in ipairs(before and before.partitions or {}) do
    known[place(partition)] = partition
  end
  for i, partition in ipairs(now.partitions) do
    local old = known[place(partition)]
    local has_trend = old and old.lag and partition.lag and seconds > 0
    list[i] = {
      status = partition,
      trouble = trouble_of(partition),
      trend = has_trend and (partition.lag - old.lag) / seconds or nil,
    }
  end
  table.sort(list, function(a, b)
    local rank_a, rank_b = TROUBLE[a.trouble] or 9, TROUBLE[b.trouble] or 9
    if rank_a ~= rank_b then
      return rank_a < rank_b
    end
    local lag_a, lag_b = a.status.lag or -1, b.status.lag or -1
    if lag_a ~= lag_b then
      return lag_a > lag_b
    elseif a.status.topic ~= b.status.topic then
      return a.status.topic < b.status.topic
    end
    return a.status.partition < b.status.partition
  end)
  return list
end

return M

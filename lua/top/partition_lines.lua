-- The table of the partitions of the chosen consumer.

local columns = require("lagoon.top.columns")
local line = require("lagoon.top.line")
local words = require("lagoon.top.words")

local function partition_lines(one, name_width)
  local status = one.status
  local oldest = status.oldest and words.duration(status.oldest.age_ms / 1000):match("%S+")
  local lines = { line(("  %s %4d %-10s %6s %6s %7d %6s %12s %12s"):format(
    words.fit(status.topic, name_width), status.partition, one.trouble or "",
    columns.number(status.lag), one.trend and words.signed(one.trend) or "-", status.unsettled,
    oldest or "-",
    status.committed or "-", status["end"] or "-"), one.trouble and "bad") }
  local stopped, stalled = status.stopped, status.stalled
  if stopped then
    lines[2] = line(("      at offset %s: %s"):format(stopped.offset or "-", stopped.reason), "bad")
  elseif stalled then
    lines[2] = line(("      for %s at offset %s%s: %s"):format(
      words.duration(stalled.for_ms / 1000), stalled.offset,
      stalled.handler and ", " .. stalled.handler or "", stalled.reason), "bad")
  end
  return lines
end

---@param partitions lagoon.top.Partition[]
---@param width integer
---@param room integer lines
---@return lagoon.top.Line[]
return function(partitions, width, room)
  if #partitions == 0 then
    return { line("  no partition is assigned to it", "dim") }
  end
  local name_width = math.max(8, math.min(width - 73, 40))
  local lines = { line(("  %s %4s %-10s %6s %6s %7s %6s %12s %12s"):format(
    words.fit("TOPIC", name_width), "PART", "", "LAG", "LAG/s", "IN WORK", "OLDEST", "COMMITTED",
    "END"), "head") }
  for i, one in ipairs(partitions) do
    local more = partition_lines(one, name_width)
    if #lines + #more > room - (i < #partitions and 1 or 0) then
      lines[#lines + 1] = line(("  ... %d more: lagoon status"):format(#partitions - i + 1), "dim")
      break
    end
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return lines
end

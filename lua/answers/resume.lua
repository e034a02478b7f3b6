-- `lagoon resume` for a person. Argument: the answer. Results: the text, the exit code, which is 5
-- when a partition did not go on.

local answer = ...
local lines, exit_code = {}, 0

local function say(format, ...)
  lines[#lines + 1] = format:format(...)
end

if answer.was_paused then
  say("consumer %s goes on", answer.consumer)
end
if answer.skipped then
  say("the record at offset %d is skipped", answer.skipped)
end
for _, partition in ipairs(answer.partitions) do
  local place = ("%s[%d]"):format(partition.topic, partition.partition)
  if partition.refused then
    say("%s stays stopped: %s", place, partition.refused)
    exit_code = 5
  else
    local where = answer.skipped and "" or " at offset " .. partition.offset
    local when = partition.waits_for > 0 and ", when what has begun of it has ended" or ""
    say("%s goes on%s%s", place, where, when)
  end
end
if #lines == 0 then
  say("nothing of consumer %s is stopped here", answer.consumer)
end
return table.concat(lines, "\n") .. "\n", exit_code

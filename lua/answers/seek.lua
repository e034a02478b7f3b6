-- `lagoon seek` for a person. Argument: the answer. Results: the text, the exit code, which is 5
-- when something did not move.

local answer = ...

if answer.state == "failed" then
  return ("nothing has moved: %s\n"):format(answer.reason), 5
elseif answer.state == "pending" then
  return "the seek is still under way; the log will say what has moved\n", 5
end
local lines, exit_code = {}, 0
for _, partition in ipairs(answer.partitions) do
  local words = { moved = "", planned = " would be the move",
    given_back = " is not done: the partition was given back" }
  lines[#lines + 1] = ("%s[%d]: offset %d -> %d%s"):format(partition.topic, partition.partition,
    partition.from, partition.to, words[partition.state])
  exit_code = partition.state == "given_back" and 5 or exit_code
end
return table.concat(lines, "\n") .. "\n", exit_code

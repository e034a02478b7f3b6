-- What the members wrote: dead letters, and what handlers published.

local json = require("cjson")

local kcat = require("spec.support.kcat")
local unit = require("unit")
local wait = require("spec.support.wait")

local M = {}

local LEADER_MS = 30000
local READ_MS = 120000

-- All of the topic, when all its partitions have a leader: a broker that is busy may be thought
-- dead for a moment. A topic that does not come in time is not there.
local function read_all(rig, topic, partitions)
  local is_there = pcall(wait.till, "topic " .. topic, LEADER_MS, function()
    return unit.kafka.partitions(rig.brokers, topic) == partitions
  end)
  return is_there and kcat.consume(rig.brokers, topic, { deadline_ms = READ_MS }) or {}
end

---All dead letters, by the place of the record: "partition offset". Where nothing was given up the
---topic may not be there.
---@param rig spec.Rig
---@return table<string, integer> times
function M.read(rig)
  local times = {}
  local topic = ("%s.%s.dead-letter"):format(rig.judge.topic, rig.judge.group)
  local is_expected = next(rig.judge.verdicts.given_up) ~= nil
    or (unit.kafka.partitions(rig.brokers, topic) or 0) > 0
  for _, letter in ipairs(is_expected and read_all(rig, topic, rig.judge.partitions) or {}) do
    local header = {}
    for _, pair in ipairs(letter.headers) do
      header[pair[1]] = pair[2]
    end
    local place = ("%s %s"):format(header["lagoon-dead-letter-partition"],
      header["lagoon-dead-letter-offset"])
    times[place] = (times[place] or 0) + 1
  end
  return times
end

local function name(place)
  return (place:gsub("(%d+) (%d+)", "[%1]@%2"))
end

---What was given up is in the dead letters, and nothing else is, each once.
---@param rig spec.Rig
---@return integer count, string[] missing, string[] unasked, string[] twice
function M.compare(rig)
  local given_up = rig.judge.verdicts.given_up
  local count, missing, unasked, twice = 0, {}, {}, {}
  for place in pairs(given_up) do
    if not rig.letters[place] then
      table.insert(missing, name(place))
    end
  end
  for place, times in pairs(rig.letters) do
    count = count + times
    if not given_up[place] then
      table.insert(unasked, name(place))
    end
    if times > 1 then
      table.insert(twice, name(place))
    end
  end
  return count, missing, unasked, twice
end

---@param rig spec.Rig
---@return string[] "key number" of records that had to publish and did not
function M.unpublished(rig)
  local published, missing = {}, {}
  for _, record in ipairs(read_all(rig, rig.judge.out_topic, 1)) do
    local event = json.decode(record.value)
    published[("%s %d"):format(event.order_id, event.n)] = true
  end
  for _, place in ipairs(rig.publishing) do
    if not published[place] then
      table.insert(missing, place)
    end
  end
  return missing
end

return M

-- What has to hold between the keys that say what becomes of records that fail.

local types = require("lagoon.config.types")

local M = {}

---@param give_up string
---@return table # what `on_error = "stop"` is short for
function M.at_once(give_up)
  return { retries = 0, give_up = give_up }
end

function M.on_error(on_error, given, place)
  local backoff, max_backoff = on_error.backoff, on_error.max_backoff
  if not backoff or not max_backoff or backoff <= max_backoff then
    return
  elseif given.max_backoff ~= nil then
    place:child("max_backoff"):problem(("must be at least backoff, which is %d ms"):format(backoff),
      given.max_backoff)
  else
    place:child("backoff"):problem(
      ("must be at most max_backoff, which is %d ms"):format(max_backoff), given.backoff)
  end
end

-- Each key that sends records there, with what it is set to.
local function senders(consumer)
  local list = {}
  if consumer.on_error and consumer.on_error.give_up == "dead_letter" then
    table.insert(list, "on_error")
  end
  for _, key in ipairs({ "on_invalid", "on_unknown_type" }) do
    if consumer[key] == "dead_letter" then
      table.insert(list, key)
    end
  end
  return list
end

-- A name that is derived may be no topic's: a group may be called anything.
local function check_derived(consumer, place)
  for _, topic in ipairs(consumer.topics or {}) do
    local source = topic:sub(1, 1) == "^" and "topic" or topic
    local name = consumer.group and ("%s.%s.dead-letter"):format(source, consumer.group)
    if name and not types.topic(name) then
      place:problem(("dead letters would go to topic %s, which is no legal name; name one by " ..
        "dead_letter"):format(place.report:show(name)))
      return
    end
  end
end

---Of a whole consumer, whose topics are settled.
function M.check(consumer, given, place)
  local keys = senders(consumer)
  local own = place:child("dead_letter")
  if given.dead_letter == false and #keys > 0 then
    own:problem(("is false, but %s would send records there; choose \"skip\" or \"stop\""):format(
      table.concat(keys, " and ")))
  elseif given.dead_letter == nil and #keys > 0 then
    check_derived(consumer, place)
  end
  for _, topic in ipairs(consumer.topics or {}) do
    if topic == consumer.dead_letter then
      own:problem("is read by this consumer, so what failed would come back for ever", topic)
    end
  end
end

return M

-- What has to hold between the keys that say what a record is to scripts.

local M = {}

---@param codec table?
---@return string? # the word or module, when one was given that is none of the runtime's JSON
local function other_codec(codec)
  return codec and codec.value ~= "json" and codec.value or nil
end

function M.producer(producer, given, place)
  if producer.codec and producer.codec.value == "raw" and given.key_field ~= nil then
    place:child("key_field"):problem('has no effect with codec = "raw", whose events have no '
      .. "fields; give publish a key")
  end
  for _, header in ipairs(producer.headers or {}) do
    if header.name == producer.type_header then
      place:child("headers"):child(header.name):problem("is the header that carries the type")
    end
  end
end

local function check_events(consumer, given, place)
  local codec = other_codec(consumer.codec)
  if codec and given.nulls ~= nil then
    place:child("nulls"):problem('has an effect only with codec = "json"')
  end
  if codec == "raw" and given.type_field then
    place:child("type_field"):problem('has no effect with codec = "raw", whose events have no '
      .. "fields")
  end
end

---@param given table
---@param place lagoon.config.Place
local function check_handlers(given, place)
  local is_misspelt = place.suspects.handlers or place.suspects.handler
  if given.handlers == nil and given.handler == nil and not is_misspelt then
    place:problem("needs handlers or handler")
  end
end

function M.consumer(consumer, given, place)
  check_handlers(given, place)
  check_events(consumer, given, place)
end

return M

-- Publishes one event that came over HTTP, through its producer's middlewares and codec.
-- Arguments: functions of the program, the body, producer, type, key or nil, "raw" when the body is
-- the event and no JSON, then the headers: name, value, ...

local lagoon = require("lagoon")

local internal, body, producer_name, type_name, key, raw = ...
local pairs_of_headers = table.pack(select(7, ...))

local event = body
if not raw then
  local is_json, decoded = pcall(lagoon.json.decode, body)
  if not is_json then
    return nil, "the event is no JSON: " .. tostring(decoded)
  end
  event = decoded
end

local headers = {}
for i = 1, pairs_of_headers.n, 2 do
  headers[#headers + 1] = { pairs_of_headers[i], pairs_of_headers[i + 1] }
end

local results = table.pack(pcall(internal.publish_text, lagoon.producer(producer_name), type_name,
  event, { key = key, headers = headers }, body))
if not results[1] then
  return nil, (tostring(results[2]):gsub("^lua/publish_event%.lua:%d+: ", ""))
elseif not results[2] and results[3] ~= nil then
  return nil, tostring(results[3])
end
return true

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

-- What is raised goes out as it is, with the place where it was.
local delivery, message = internal.publish_text(lagoon.producer(producer_name), type_name, event,
  { key = key, headers = headers }, body)
if not delivery and message ~= nil then
  return nil, tostring(message)
end
return true

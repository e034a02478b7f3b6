--- `lagoon publish PRODUCER TYPE`: publishes each line of standard input as one event.
-- Arguments: functions of the program, producer, type, key or nil, headers as NAME=VALUE.

local lagoon = require("lagoon")

local internal, producer_name, type_name, key = ...
local header_arguments = table.pack(select(5, ...))

---@return table headers a list of {name, value}
local function read_headers()
  local headers = {}
  for i = 1, header_arguments.n do
    local name, value = header_arguments[i]:match("^([^=]+)=(.*)$")
    headers[i] = { name, value }
  end
  return headers
end

---Decodes a line only to find its key and its mistakes: its text is published as it stands.
---@param line string
---@return boolean ok
---@return any event_or_message
local function read_event(line)
  return pcall(lagoon.json.decode, line)
end

---@param message any
---@return string text without the position in this file
local function plain(message)
  return (tostring(message):gsub("^[%w_/%.]+%.lua:%d+: ", ""))
end

local producer = lagoon.producer(producer_name)
local options = { key = key, headers = read_headers() }
local number, bad = 0, 0

local function reject(message)
  bad = bad + 1
  io.stderr:write(("line %d: %s\n"):format(number, plain(message)))
end

for line in io.lines() do
  number = number + 1
  if line:find("%S") then
    local is_read, event = read_event(line)
    if not is_read then
      reject(event)
    else
      local is_sent, message =
        pcall(internal.publish_text, producer, type_name, event, options, line)
      if not is_sent then
        reject(message)
      end
    end
  end
end

if bad > 0 then
  return nil, ("%d of %d lines could not be published"):format(bad, number)
end

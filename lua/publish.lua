--- `lagoon publish PRODUCER [TYPE]`: publishes each line of standard input. With a type a line is
-- an event, without one it is a record with a type of its own.
-- Arguments: functions of the program, producer, type or nil, key or nil, headers as NAME=VALUE.

local lagoon = require("lagoon")

local internal, producer_name, type_name, key = ...
local header_arguments = table.pack(select(5, ...))
local producer = lagoon.producer(producer_name)

local FIELDS = { type = true, key = true, headers = true, value = true, partition = true,
  timestamp = true, topic = true }

---@return table headers a list of {name, value}
local function read_headers()
  local headers = {}
  for i = 1, header_arguments.n do
    headers[i] = { header_arguments[i]:match("^([^=]+)=(.*)$") }
  end
  return headers
end

local shared_headers = read_headers()

---@param value any
---@return any # nil for JSON's null
local function given(value)
  if value == lagoon.null then
    return nil
  end
  return value
end

---@param message any
---@return string text without the position in this file
local function plain(message)
  return (tostring(message):gsub("^[%w_/%.]+%.lua:%d+: ", ""))
end

---@param headers any of a record
---@return table headers a list of {name, value}, with those that hold for every line behind it
local function list_headers(headers)
  local list = {}
  if given(headers) == nil then
    return shared_headers
  elseif type(headers) ~= "table" then
    error(('"headers" must be {name: value} or [[name, value], ...], not a %s')
      :format(type(headers)), 0)
  elseif #headers > 0 then
    table.move(headers, 1, #headers, 1, list)
  else
    for name, value in pairs(headers) do
      list[#list + 1] = { name, value }
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
  end
  return table.move(shared_headers, 1, #shared_headers, #list + 1, list)
end

---@param record any a line's JSON
local function check_record(record)
  if type(record) ~= "table" or #record > 0 then
    error('a record is an object: {"type": ..., "value": ...}', 0)
  end
  for name in pairs(record) do
    if not FIELDS[name] then
      error(("unknown field %q: there are type, value, key, headers, topic, partition, timestamp")
        :format(name), 0)
    end
  end
  if type(record.type) ~= "string" or record.type == "" then
    error(given(record.type) == nil and 'it has no "type"' or '"type" must be text, not empty', 0)
  elseif record.value == nil then
    error('it has no "value"; null is a tombstone', 0)
  elseif record.value == lagoon.null and not given(record.key) and not key then
    error('a null value is a tombstone and needs a "key"', 0)
  end
end

---Publishes a line that is a record.
local function publish_record(line)
  local record = lagoon.json.decode(line)
  check_record(record)
  local options = { key = record.key == nil and key or record.key,
    headers = list_headers(record.headers), topic = given(record.topic),
    partition = given(record.partition), timestamp = given(record.timestamp) }
  if record.value == lagoon.null then
    producer:publish(record.type, nil, options)
  else
    internal.publish_text(producer, record.type, record.value, options, internal.value_text(line))
  end
end

---Decodes the line only to find its key and its mistakes: its text is published as it stands.
local function publish_event(line)
  internal.publish_text(producer, type_name, lagoon.json.decode(line),
    { key = key, headers = shared_headers }, line)
end

local publish = type_name and publish_event or publish_record
local number, bad = 0, 0

local function reject(message)
  local reason = plain(message)
  bad = bad + 1
  internal.say(("line %d: %s"):format(number, reason))
  internal.answer(('{"line":%d,"error":%s}\n'):format(number, lagoon.json.encode(reason)))
end

---@return string? problem why it ends before the input does
local function publish_all()
  while true do
    local line, detail = internal.read_line(io.stdin)
    if line == nil then
      return detail and ("%s after line %d"):format(detail, number)
    end
    number = number + 1
    internal.number(number)
    if not line then
      reject(("%d bytes are too long for a line"):format(detail))
    elseif line:find("%S") then
      local is_sent, message = pcall(publish, line)
      if not is_sent then
        reject(message)
      end
    end
    local may_go_on = internal.may_go_on()
    while may_go_on == false do
      lagoon.sleep("20ms")
      may_go_on = internal.may_go_on()
    end
    if not may_go_on then
      return ("nobody reads the acknowledgements; ended after line %d"):format(number)
    end
  end
end

local problems = { publish_all() }
if bad > 0 then
  table.insert(problems, ("%d of %d lines could not be published"):format(bad, number))
end
if #problems > 0 then
  return nil, table.concat(problems, "; ")
end

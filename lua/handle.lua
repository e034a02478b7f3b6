--- `lagoon handle CONSUMER [TYPE]`: runs one record, of which standard input is the value, and
-- prints all that came of it.
-- Arguments: the function that runs a record, and what the command line asks for.

local lagoon = require("lagoon")

local handle, request = ...

---@return table headers a list of {name, value}
local function read_headers()
  local headers = {}
  if request.type then
    headers[1] = { request.type_header, request.type }
  end
  for _, text in ipairs(request.headers) do
    local name, value = text:match("^([^=]+)=(.*)$")
    headers[#headers + 1] = { name, value }
  end
  return headers
end

---Text as a person can read it: bytes that a terminal would take for something else are escaped.
local function readable(text)
  if utf8.len(text) and not text:find("[%c\127]") then
    return text
  end
  return (text:gsub("[^\32-\126]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function show_value(publication)
  if not publication.value then
    return "(tombstone)"
  end
  return readable(publication.value)
end

local function show_headers(headers)
  local lines = {}
  for i, header in ipairs(headers) do
    local value = header[2] == lagoon.null and "(null)" or readable(header[2])
    lines[i] = ("    %s: %s\n"):format(readable(header[1]), value)
  end
  return table.concat(lines)
end

local function show_publication(publication)
  local place = publication.topic
  if publication.partition then
    place = ("%s[%d]"):format(place, publication.partition)
  end
  local key = publication.key and ("key " .. readable(publication.key)) or "null key"
  return ("  %s by %s, to %s, %s\n%s    %s\n"):format(readable(publication.type),
    publication.producer, place, key, show_headers(publication.headers), show_value(publication))
end

local function show_fields(fields)
  local words = {}
  for name, value in pairs(fields) do
    local text = type(value) == "string" and readable(value)
      or lagoon.json.encode(value, { sort_keys = true })
    words[#words + 1] = ("%s=%s"):format(name, text)
  end
  table.sort(words)
  return #words > 0 and "  " .. table.concat(words, " ") or ""
end

local function show_line(line)
  local message = line.message:gsub("%s+$", ""):gsub("\n", "\n        ")
  return ("  %-5s %s%s\n"):format(line.level:upper(), message, show_fields(line.fields))
end

local function indent(text)
  return (text:gsub("\t", "  "):gsub("[^\n]+", "  %0"))
end

local function print_text(outcome)
  io.write(outcome.result, outcome.error and ": " .. outcome.error or "", "\n")
  if outcome.traceback then
    io.write(indent(outcome.traceback), "\n")
  end
  io.write(#outcome.logs > 0 and "logged:\n" or "")
  for _, line in ipairs(outcome.logs) do
    io.write(show_line(line))
  end
  io.write(#outcome.published > 0 and "would have published:\n" or "")
  for _, publication in ipairs(outcome.published) do
    io.write(show_publication(publication))
  end
end

---JSON has no bytes but UTF-8: other text is given in hexadecimal, under a name that says so.
local function put_bytes(object, name, bytes)
  if bytes and not utf8.len(bytes) then
    object[name .. "_hex"] = bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  else
    object[name] = bytes or lagoon.null
  end
end

local function to_json(publication)
  local object = { producer = publication.producer, topic = publication.topic,
    type = publication.type, partition = publication.partition,
    timestamp = publication.timestamp, headers = lagoon.json.array() }
  put_bytes(object, "key", publication.key)
  put_bytes(object, "value", publication.value)
  if publication.event ~= nil then
    object.value = publication.event
  end
  for i, header in ipairs(publication.headers) do
    local pair = {}
    put_bytes(pair, "value", header[2] ~= lagoon.null and header[2] or nil)
    object.headers[i] = { header[1], pair.value or { hex = pair.value_hex } }
  end
  return object
end

local function print_json(outcome)
  for i, publication in ipairs(outcome.published) do
    outcome.published[i] = to_json(publication)
  end
  io.write(lagoon.json.encode(outcome, { sort_keys = true }), "\n")
end

local value = not request.is_tombstone and io.read("a") or nil
local outcome = handle({
  topic = request.topic,
  partition = 0,
  offset = 0,
  timestamp = lagoon.now(),
  attempt = 1,
  key = request.key,
  value = value,
  headers = read_headers(),
})

if request.is_json then
  print_json(outcome)
else
  if value == "" and outcome.result == "invalid" then
    io.stderr:write("lagoon handle: standard input was empty, and is the record's value; ",
      "--tombstone is for a record without one\n")
  end
  print_text(outcome)
end
return outcome.result == "done" or outcome.result == "skipped"
  or outcome.result == "unknown_type" and request.skips_unknown_types

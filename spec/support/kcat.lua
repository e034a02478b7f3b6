-- kcat, the independent witness of what is on a topic.

local json = require("cjson")

local process = require("spec.support.process")

local M = {}

---@class spec.Record
---@field topic string
---@field partition integer
---@field offset integer
---@field timestamp integer
---@field key string? nil: null key
---@field value string? nil: a tombstone
---@field headers {[1]: string, [2]: string?}[] in order; without [2]: a null value

local function text_or_nil(value)
  if value == json.null then
    return nil
  end
  return value
end

---One line of kcat's JSON. Its strings hold the raw bytes, which lua-cjson passes on unchecked.
local function parse(line)
  local envelope = json.decode(line)
  local record = {
    topic = envelope.topic,
    partition = math.tointeger(envelope.partition),
    offset = math.tointeger(envelope.offset),
    timestamp = math.tointeger(envelope.ts),
    key = text_or_nil(envelope.key),
    value = text_or_nil(envelope.payload),
    headers = {},
  }
  local pairs_of_headers = envelope.headers or {}
  for i = 1, #pairs_of_headers, 2 do
    table.insert(record.headers, { pairs_of_headers[i], text_or_nil(pairs_of_headers[i + 1]) })
  end
  return record
end

local function parse_lines(text)
  local records = {}
  for line in text:gmatch("[^\n]+") do
    table.insert(records, parse(line))
  end
  return records
end

---Reads a topic from its beginning to its end, or until there are `count` records. The order is
---that of the partitions, each by itself.
---@param brokers string
---@param topic string
---@param options? {partition: integer?, count: integer?, from: integer|string?, deadline_ms:
--- integer?} count: waits until that many came, and raises when they do not come in time
---@return spec.Record[]
function M.consume(brokers, topic, options)
  options = options or {}
  local command = { "kcat", "-C", "-b", brokers, "-t", topic, "-q", "-J", "-X",
    "fetch.wait.max.ms=50", "-X", "fetch.message.max.bytes=10000000", "-o",
    tostring(options.from or "beginning") }
  if options.partition then
    table.move({ "-p", tostring(options.partition) }, 1, 2, #command + 1, command)
  end
  if options.count then
    table.move({ "-c", tostring(options.count), "-u" }, 1, 3, #command + 1, command)
  else
    table.insert(command, "-e")
  end
  local reader = process.start(command)
  reader.is_tool = true
  local ok, message = pcall(reader.wait_exit, reader, options.deadline_ms or 30000)
  if not ok then
    reader:signal("sigkill")
    reader:wait_exit()
    local came = #parse_lines(reader:stdout())
    error(("%s of %s records of %s came: %s"):format(came, options.count or "all", topic,
      message:match("[^\n]*")), 0)
  end
  assert(reader.code == 0, reader.name .. ": " .. reader:stderr())
  return parse_lines(reader:stdout())
end

local function run(command, input)
  local writer = process.run(command, { input = input }, 60000)
  assert(writer.code == 0, writer.name .. ": " .. writer:stderr())
  return writer
end

-- kcat splits its input at these, so keys and values may hold everything else.
local KEY_END, RECORD_END = "<end of key>", "<end of record>"

---Writes records one after the other. Under kcat's flag for nulls whatever is empty becomes null,
---so one call may hold nulls or empty strings; require("unit").kafka.produce writes anything.
---@param brokers string
---@param topic string
---@param records {key: string?, value: string?}[]
---@param options? {partition: integer?, headers: {[1]: string, [2]: string?}[]?} for all of them; a
--- header without [2] has a null value
function M.produce(brokers, topic, records, options)
  options = options or {}
  local command = { "kcat", "-P", "-b", brokers, "-t", topic, "-X", "message.max.bytes=10000000",
    "-K", KEY_END, "-D", RECORD_END, "-p", tostring(options.partition or -1) }
  for _, header in ipairs(options.headers or {}) do
    table.insert(command, "-H")
    table.insert(command, header[2] and header[1] .. "=" .. header[2] or header[1])
  end
  local input, has_null, has_empty = {}, false, false
  for _, record in ipairs(records) do
    has_null = has_null or not record.key or not record.value
    has_empty = has_empty or record.key == "" or record.value == ""
    table.insert(input, (record.key or "") .. KEY_END .. (record.value or "") .. RECORD_END)
  end
  assert(not (has_null and has_empty), "kcat cannot write nulls and empty strings in one run")
  if has_null then
    table.insert(command, "-Z")
  end
  run(command, table.concat(input))
end

---The offset after the last record, by partition from 0.
---@param brokers string
---@param topic string
---@param partitions integer
---@return table<integer, integer>
function M.end_offsets(brokers, topic, partitions)
  local command = { "kcat", "-Q", "-b", brokers }
  for partition = 0, partitions - 1 do
    table.insert(command, "-t")
    table.insert(command, ("%s:%d:-1"):format(topic, partition))
  end
  local offsets = {}
  for partition, offset in run(command):stdout():gmatch("%[(%d+)%] offset (%-?%d+)") do
    offsets[math.tointeger(partition)] = math.tointeger(offset)
  end
  return offsets
end

return M

-- Kafka's own client, in Java: what another language writes and reads. It speaks through
-- spec/support/kafka/Client.java, which Java compiles by itself when it starts it.

local json = require("cjson")

local java = require("spec.support.java")
local process = require("spec.support.process")
local scope = require("spec.support.scope")
local wait = require("spec.support.wait")

local M = {}

local START_MS = 60000
local READ_MS = 20000
local ANSWER_MS = 60000

---@class spec.KafkaClient
---@field process spec.Process
local Client = {}
Client.__index = Client

local function start()
  local self = setmetatable({}, Client)
  self.process = process.start(java.command("-Xmx384m", "spec/support/kafka/Client.java"),
    { input = true })
  self.process:wait_for("^ready$", START_MS)
  self.process:mark()
  return self
end

local shared

---The one client of this run, started when it is first asked for.
---@return spec.KafkaClient
function M.shared()
  if not shared then
    shared = scope.at_end(start)
  end
  return shared
end

---Asks without waiting; only one thing at a time.
---@return fun(): table?, string? finish waits for the answer, or what the client raised
function Client:begin(request)
  self.process:mark()
  self.process:write(json.encode(request) .. "\n")
  local search = self.process.output:search("^{.*")
  return function()
    local answer = json.decode(wait.till("an answer of Kafka's client", ANSWER_MS, function()
      assert(self.process:is_running(), self.process:tail())
      local found = search()
      return found and found[1]
    end))
    return not answer.failure and answer or nil, answer.failure
  end
end

---@return table? answer, string? failure
function Client:ask(request)
  return self:begin(request)()
end

local function text_or_nil(value)
  if value == json.null then
    return nil
  end
  return value
end

local function read_record(record)
  local headers = {}
  for i, header in ipairs(record.headers) do
    headers[i] = { header[1], text_or_nil(header[2]) }
  end
  return { topic = record.topic, partition = math.tointeger(record.partition),
    offset = math.tointeger(record.offset), timestamp = math.tointeger(record.timestamp),
    key = text_or_nil(record.key), value = text_or_nil(record.value), headers = headers }
end

---Writes the records and returns their offsets once all are acknowledged.
---@param brokers string
---@param topic string
---@param records {key: string?, value: string?, partition: integer?, headers: table[]?}[] whatever
--- is absent is null
---@param options? {is_awaited: boolean?, properties: table<string, any>?} is_awaited: each record
--- is acknowledged before the next is sent
---@return integer[]? offsets, string? failure
function Client:produce(brokers, topic, records, options)
  options = options or {}
  local answer, failure = self:ask({ ask = "produce", brokers = brokers, topic = topic,
    records = records, is_awaited = options.is_awaited, properties = options.properties })
  return answer and answer.offsets, failure
end

---Begins to read a topic from its beginning until there are `count` records.
---@param brokers string
---@param topic string
---@param count integer
---@param properties? table<string, any> with group.id it is a member of that group, reads on where
--- the group has committed, and commits what it read
---@return fun(): spec.Record[] finish waits for the records
function Client:begin_consume(brokers, topic, count, properties)
  local finish = self:begin({ ask = "consume", brokers = brokers, topic = topic, count = count,
    deadline_ms = READ_MS * wait.patience, properties = properties })
  return function()
    local records = {}
    for i, record in ipairs(assert(finish()).records) do
      records[i] = read_record(record)
    end
    return records
  end
end

---The same, and waits.
---@return spec.Record[]
function Client:consume(brokers, topic, count, properties)
  return self:begin_consume(brokers, topic, count, properties)()
end

---Lets a user do something.
---@param brokers string
---@param user string
---@param resource "TOPIC"|"GROUP"|"CLUSTER"
---@param name string of the topic or group
---@param operations string[] "READ", "WRITE", "DESCRIBE", "CREATE", ...
function Client:allow(brokers, user, resource, name, operations)
  assert(self:ask({ ask = "allow", brokers = brokers, user = user, resource = resource,
    name = name, operations = operations }))
end

---Whether the JSON texts of each pair say the same.
---@param pairs_of_texts string[][]
---@return boolean[]
function Client:compare(pairs_of_texts)
  return assert(self:ask({ ask = "compare", pairs = pairs_of_texts })).results
end

return M

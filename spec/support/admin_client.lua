-- Asks a lagoon's admin server over HTTP, byte by byte where a spec wants that.

local uv = require("luv")

local json = require("cjson")
local wait = require("spec.support.wait")

local M = {}

---@class spec.AdminConnection
---@field received string so far
---@field is_closed boolean by the server
local Connection = {}
Connection.__index = Connection

---@param url string http://127.0.0.1:PORT or unix:/path
---@return spec.AdminConnection
function M.connect(url)
  local self = setmetatable({ received = "", is_closed = false }, Connection)
  local path = url:match("^unix:(.+)$")
  local host, port = url:match("^http://(.+):(%d+)$")
  local failure
  local function on_connected(err)
    failure, self.is_connected = err, true
  end
  if path then
    self.socket = uv.new_pipe()
    self.socket:connect(path, on_connected)
  else
    self.socket = uv.new_tcp()
    self.socket:connect(host:gsub("[%[%]]", ""), tonumber(port), on_connected)
  end
  wait.till("a connection to " .. url, 10000, function() return self.is_connected end)
  assert(not failure, failure)
  self.socket:read_start(function(_, bytes)
    self.received = self.received .. (bytes or "")
    self.is_closed = self.is_closed or not bytes
  end)
  return self
end

---@param bytes string
function Connection:write(bytes)
  self.socket:write(bytes, function(err) self.is_closed = self.is_closed or err ~= nil end)
end

function Connection:close()
  if not self.socket:is_closing() then
    self.socket:close()
  end
end

---@class spec.AdminAnswer
---@field status integer
---@field headers table<string, string> by lower-case name
---@field body string

---The answer, once it is whole; nil before.
---@return spec.AdminAnswer?
function Connection:answer()
  local head, body = self.received:match("^(.-\r\n)\r\n(.*)$")
  if not head then
    return nil
  end
  local headers = {}
  for name, value in head:gmatch("\n([^:\r\n]+): ([^\r\n]*)") do
    headers[name:lower()] = value
  end
  local length = tonumber(headers["content-length"])
  if #body < length and not self.is_closed then
    return nil
  end
  return { status = tonumber(head:match("^HTTP/1.1 (%d+)")), headers = headers, body = body }
end

---@param url string
---@param method string
---@param path string
---@param options? {headers: table<string, string|false>?, body: string?}
---@return spec.AdminAnswer
function M.ask(url, method, path, options)
  options = options or {}
  local headers = { Host = "localhost", Connection = "close" }
  headers["Content-Length"] = options.body and tostring(#options.body) or nil
  for name, value in pairs(options.headers or {}) do
    headers[name] = value or nil
  end
  local lines = { ("%s %s HTTP/1.1\r\n"):format(method, path) }
  for name, value in pairs(headers) do
    table.insert(lines, ("%s: %s\r\n"):format(name, value))
  end
  local connection = M.connect(url)
  connection:write(table.concat(lines) .. "\r\n" .. (options.body or ""))
  local answer = wait.till(("an answer to %s %s"):format(method, path), 10000, function()
    return method == "HEAD" and connection.is_closed and { headers = {}, body = "",
      status = tonumber(connection.received:match("^HTTP/1.1 (%d+)")) } or connection:answer(),
      connection.received
  end)
  connection:close()
  return answer
end

---The answer's JSON; raises when the status is another.
---@param url string
---@param method string
---@param path string
---@param options? table as in ask
---@param status? integer 200
---@return table
function M.json(url, method, path, options, status)
  local answer = M.ask(url, method, path, options)
  assert(answer.status == (status or 200), ("%s %s: %d\n%s"):format(method, path, answer.status,
    answer.body))
  assert(answer.headers["content-type"] == "application/json")
  return json.decode(answer.body)
end

---Where a lagoon that was started with --listen 127.0.0.1:0 listens.
---@param run spec.Run
---@return string
function M.url_of(run)
  return run:wait_log("^admin: ").message:match("^admin: ([^,]+)")
end

return M

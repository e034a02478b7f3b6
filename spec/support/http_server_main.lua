-- The process of an HTTP server for specs. Standard input asks for its counts, and ends it.

local answers = require("spec.support.http_server_answers")
local json = require("cjson")
local uv = require("luv")

require("spec.support.broken_pipe")

local counts = { connections = 0, open = 0, running = 0, most = 0 }

---The first request of the bytes that came, and those behind it; nil when it has not come whole.
local function parse(text)
  local head, rest = text:match("^(.-)\r\n\r\n(.*)$")
  if not head then
    return nil
  end
  local request = { headers = {} }
  request.method, request.path = head:match("^(%S+) (%S+)")
  for name, value in head:gmatch("\r\n([^:]+): *([^\r]*)") do
    request.headers[name:lower()] = value
  end
  local length = tonumber(request.headers["content-length"] or 0)
  if #rest < length then
    return nil
  end
  request.body = rest:sub(1, length)
  return request, rest:sub(length + 1)
end

local function serve(socket)
  counts.connections = counts.connections + 1
  counts.open = counts.open + 1
  local number, text, is_busy = counts.connections, "", false
  local connection = {}

  local function leave()
    counts.open = counts.open - 1
    counts.running = counts.running - (is_busy and 1 or 0)
    is_busy = false
  end

  local function next_request()
    local request, rest = parse(text)
    if is_busy or not request then
      return
    end
    text, is_busy, request.connection = rest, true, number
    counts.running = counts.running + 1
    counts.most = math.max(counts.most, counts.running)
    answers.give(request, connection)
  end

  function connection.write(bytes)
    if not socket:is_closing() then
      socket:write(bytes)
    end
  end

  function connection.finish()
    if is_busy then
      is_busy, counts.running = false, counts.running - 1
      next_request()
    end
  end

  function connection.close()
    if not socket:is_closing() then
      leave()
      socket:close()
    end
  end

  function connection.reset()
    if not socket:is_closing() then
      leave()
      socket:close_reset()
    end
  end

  socket:read_start(function(failure, data)
    if failure or not data then
      connection.close()
    else
      text = text .. data
      next_request()
    end
  end)
end

local listener = uv.new_tcp()
assert(listener:bind("127.0.0.1", 0))
assert(listener:listen(1024, function()
  local socket = uv.new_tcp()
  listener:accept(socket)
  socket:nodelay(true)
  serve(socket)
end))

local input = uv.new_pipe()
assert(input:open(0))
input:read_start(function(failure, data)
  if failure or not data then
    os.exit(0)
  end
  io.stdout:write("counts ", json.encode(counts), "\n")
  io.stdout:flush()
end)

io.stdout:write("listening on http://127.0.0.1:", listener:getsockname().port, "\n")
io.stdout:flush()
uv.run()

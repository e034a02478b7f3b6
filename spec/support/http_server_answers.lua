-- What the HTTP server of specs answers, by the first part of the path.

local json = require("cjson")
local uv = require("luv")

local M = {}

-- "packed " a thousand times.
local PACKED = "1f8b0800000000000203edc5211100400800b02a54e3f85718fa2b12d060" ..
  "339bacfe2f46922449922449922449d2dd025fabb4db581b0000"

local function bytes_of(hex)
  return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end))
end

local function later(milliseconds, action)
  local timer = uv.new_timer()
  timer:start(milliseconds, 0, function()
    timer:close()
    action()
  end)
end

local function reply(connection, status, headers, body)
  connection.write(("HTTP/1.1 %d Thus\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, headers,
    #body, body))
  connection.finish()
end

local function echo(request, connection)
  reply(connection, 200, "Content-Type: application/json\r\n", json.encode(request))
end

local ways = { echo = echo }

function ways.status(_, connection, status)
  connection.write(("HTTP/1.1 %d Thus\r\nContent-Length: 0\r\n\r\n"):format(status))
  connection.finish()
end

function ways.head(_, connection)
  connection.write("HTTP/1.1 200 Thus\r\nContent-Length: 1000\r\n\r\n")
  connection.finish()
end

function ways.bytes(_, connection, count)
  reply(connection, 200, "", ("x"):rep(count))
end

function ways.slow(request, connection, milliseconds)
  later(milliseconds, function() echo(request, connection) end)
end

---One in a hundred is reset, one in twenty slow.
function ways.flaky(request, connection, number)
  if number % 100 == 7 then
    connection.reset()
  else
    later(number % 20 == 3 and 200 or 0, function() echo(request, connection) end)
  end
end

function ways.hang() end

function ways.stall(_, connection)
  connection.write("HTTP/1.1 200 Thus\r\nContent-Length: 10\r\n\r\nabc")
end

function ways.reset(_, connection)
  connection.reset()
end

function ways.close(_, connection)
  connection.close()
end

---Keeps the connection by what it says, and closes it.
function ways.leave(request, connection)
  echo(request, connection)
  later(10, connection.close)
end

function ways.cut(_, connection)
  connection.write("HTTP/1.1 200 Thus\r\nContent-Length: 10\r\n\r\nabc")
  later(10, connection.close)
end

function ways.packed(_, connection)
  reply(connection, 200, "Content-Encoding: gzip\r\n", bytes_of(PACKED))
end

function ways.chunked(_, connection)
  connection.write("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" ..
    "HTTP/1.1 200 Thus\r\nTransfer-Encoding: chunked\r\n\r\n" ..
    "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Late: yes\r\n\r\n")
  connection.finish()
end

function ways.headers(_, connection, count)
  reply(connection, 200, ("X-Long: " .. ("y"):rep(1000) .. "\r\n"):rep(count // 1000), "")
end

function ways.repeated(_, connection)
  reply(connection, 200, "X-One: a\r\nx-one:b\r\nSet-Cookie: c=1, d\r\nSet-Cookie: e=2\r\n" ..
    "X-Empty:\r\n", "")
end

function ways.redirect(_, connection)
  reply(connection, 302, "Location: /echo\r\n", "")
end

function ways.rubbish(_, connection)
  connection.write("rubbish\r\n\r\n")
  connection.close()
end

---@param request table
---@param connection table
function M.give(request, connection)
  local way, amount = request.path:match("^/(%l+)/?(%d*)")
  local answer = ways[way]
  if answer then
    answer(request, connection, tonumber(amount) or 0)
  else
    reply(connection, 404, "", "")
  end
end

return M

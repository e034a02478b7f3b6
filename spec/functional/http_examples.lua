-- The handler of http_spec.lua's examples: asks a server in every way and notes what it got.

return [[
local journal = require("journal")
local lagoon = require("lagoon")

local request = lagoon.http.request
local M = {}

-- Notes what came, with the body decoded where it is JSON.
local function note(name, ...)
  local answer, reason = ...
  local entry = { example = name, reason = reason, count = select("#", ...) }
  if answer then
    local is_json = answer.headers["Content-Type"] == "application/json"
    entry.status, entry.headers, entry.length = answer.status, answer.headers, #answer.body
    entry.body = is_json and lagoon.json.decode(answer.body) or answer.body:sub(1, 100)
  end
  journal.note(entry)
end

local function ask(name, url, options)
  options = options or {}
  M[name] = function(server)
    options.url = server .. url
    return request(options)
  end
end

ask("plain", "/echo?a=b#c")
ask("posted", "/echo", { body = "a\0b", headers = { ["Content-Type"] = "text/plain", n = 5,
  empty = "" } })
ask("put without a body", "/echo", { method = "PUT" })
ask("deleted with a body", "/echo", { method = "DELETE", body = "x" })
ask("listed headers", "/echo", { headers = { { "x-a", "1" }, { "X-B", 2 } } })
ask("head", "/head", { method = "HEAD" })
ask("no content", "/status/204")
ask("server error", "/status/503")
ask("redirect", "/redirect")
ask("large", "/bytes/4194304")
ask("too large", "/bytes/4194305")
ask("larger by wish", "/bytes/4194305", { max_body = "5MiB" })
ask("smaller by wish", "/bytes/101", { max_body = 100 })
ask("packed", "/packed")
ask("packed and too large", "/packed", { max_body = 1000 })
ask("chunked", "/chunked")
ask("headers", "/headers/60000")
ask("too many headers", "/headers/70000")
ask("repeated headers", "/repeated")
ask("reset", "/reset")
ask("closed", "/close")
ask("cut", "/cut")
ask("rubbish", "/rubbish")
ask("hang", "/hang?secret", { timeout = "50ms" })
ask("stall", "/stall", { timeout = 0.05 })

M["nobody"] = function() return request({ url = "http://127.0.0.1:1/x" }) end

M["in pcall"] = function(server) return select(2, pcall(request, { url = server .. "/echo" })) end
M["in a coroutine"] = function(server)
  local own = coroutine.wrap(function()
    coroutine.yield("first")
    return request({ url = server .. "/echo" })
  end)
  assert(own() == "first")
  return own()
end

local function refuse(name, options)
  M[name] = function(server)
    if options.url == nil then
      options.url = server
    end
    return nil, (select(2, pcall(request, options)))
  end
end

M["no table"] = function() return nil, (select(2, pcall(request, "http://localhost"))) end
refuse("unknown option", { methd = "GET" })
refuse("odd option", { [true] = 1 })
refuse("other scheme", { url = "file:///etc/passwd" })
refuse("no scheme", { url = "localhost/x" })
refuse("wrong port", { url = "http://user:word@localhost:99999/" })
refuse("space in the url", { url = "http://localhost/a b" })
refuse("line in the url", { url = "http://localhost/a\r\nX: y" })
refuse("nul in the url", { url = "http://localhost/\0" })
refuse("number for a url", { url = 5 })
refuse("small method", { method = "get" })
refuse("two methods", { method = "GET / HTTP/1.1\r\nX: y" })
refuse("connect", { method = "CONNECT" })
refuse("head with a body", { method = "HEAD", body = "x" })
refuse("table for a body", { body = {} })
refuse("line in a header", { headers = { x = "a\r\nInjected: 1" } })
refuse("nul in a header", { headers = { x = "a\0" } })
refuse("space in a name", { headers = { ["x y"] = "a" } })
refuse("line in a name", { headers = { ["x\r\ny"] = "a" } })
refuse("own length", { headers = { ["content-LENGTH"] = "5" } })
refuse("table in a header", { headers = { x = {} } })
refuse("half a pair", { headers = { { "x" } } })
refuse("text for headers", { headers = "x: y" })
refuse("no timeout", { timeout = 0 })
refuse("wrong timeout", { timeout = "soon" })
refuse("wrong max_body", { max_body = "4MB" })

M["in table.sort"] = function(server)
  return nil, select(2, pcall(table.sort, { 2, 1 }, function() request({ url = server }) end))
end

return function(event)
  local names = {}
  for name in pairs(M) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    note(name, M[name](event.server))
  end
  journal.note({ is_all = true })
end
]]

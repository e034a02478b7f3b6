-- lagoon.http.request: what a handler gets of a server's answers, and of those that do not come.

local application = require("spec.support.application")
local certificates = require("spec.support.certificates")
local examples = require("spec.functional.http_examples")
local http_server = require("spec.support.http_server")
local port = require("spec.support.port")
local process = require("spec.support.process")

-- Says the status, or why there is none.
local ASKS = [[
local lagoon = require("lagoon")
return function(event)
  local answer, reason = lagoon.http.request(event)
  print(answer and answer.status or reason)
end
]]

---Runs one event through a handler by `lagoon handle`.
---@param source string
---@param event string
---@param environment? table<string, string>
---@param options? table of the consumer
local function handle(source, event, environment, options)
  local consumer = { topic = "t", group = "g", handlers = { Event = "handlers.it" } }
  for name, value in pairs(options or {}) do
    consumer[name] = value
  end
  local env = { no_proxy = "*" } -- whatever is set here
  for name, value in pairs(environment or {}) do
    env[name] = value
  end
  local app = application.new("127.0.0.1:1", { consumers = { c = consumer } },
    { ["handlers/it"] = source })
  return app:run({ "handle", "c", "Event" }, { input = event, env = env }).process, app
end

describe("lagoon.http.request", function()
  local server, told = nil, {}

  setup(function()
    server = http_server.start()
    local handled, app = handle(examples, ('{"server":%q}'):format(server.url))
    assert(handled.code == 0, handled:tail())
    for _, entry in ipairs(app:journal()) do
      told[entry.example or "all"] = entry
    end
    assert(told.all, handled:tail())
  end)

  it("gives status, headers and body of an answer", function()
    local entry = told.plain
    assert.same({ 200, "GET", "/echo?a=b", "", 1 },
      { entry.status, entry.body.method, entry.body.path, entry.body.body, entry.count })
    assert.same({ "application/json", entry.length },
      { entry.headers["content-type"], tonumber(entry.headers["content-length"]) })
    for example, status in pairs({ ["no content"] = 204, ["server error"] = 503, head = 200,
      redirect = 302 }) do
      assert.same({ status, "" }, { told[example].status, told[example].body }, example)
    end
  end)

  it("sends method, headers and body as they are given, and no form", function()
    local posted = told.posted.body
    assert.same({ "POST", "a\0b", "text/plain", "5", "" }, { posted.method, posted.body,
      posted.headers["content-type"], posted.headers.n, posted.headers.empty })
    local put = told["put without a body"].body
    assert.same({ "PUT", "", "0" }, { put.method, put.body, put.headers["content-length"] })
    local deleted = told["deleted with a body"].body
    assert.same({ "DELETE", "x" }, { deleted.method, deleted.body })
    assert.is_nil(deleted.headers["content-type"])
    local listed = told["listed headers"].body
    assert.same({ "1", "2" }, { listed.headers["x-a"], listed.headers["x-b"] })
  end)

  it("reads answers in pieces, packed ones, and headers that come again", function()
    assert.same({ "abcdefg", "yes" }, { told.chunked.body, told.chunked.headers["x-late"] })
    assert.is_nil(told.chunked.headers["x-early"])
    assert.same({ 7000, "packed packed" }, { told.packed.length, told.packed.body:sub(1, 13) })
    local headers = told["repeated headers"].headers
    assert.same({ "a, b", "c=1, d\ne=2", "" },
      { headers["x-one"], headers["set-cookie"], headers["x-empty"] })
  end)

  local function assert_reason(example, what)
    local entry = told[example]
    assert.is_nil(entry.status)
    assert(entry.reason and entry.reason:find(what, 1, true),
      ("%s: %s"):format(example, entry.reason))
  end

  it("bounds the answer", function()
    assert.equal(4194304, told.large.length)
    assert.equal(4194305, told["larger by wish"].length)
    assert.equal(200, told.headers.status)
    assert_reason("too large", "/bytes/4194305: the answer's body is longer than 4194304 bytes")
    assert_reason("smaller by wish", "is longer than 100 bytes (max_body)")
    assert_reason("packed and too large", "is longer than 1000 bytes (max_body)")
    assert_reason("too many headers", "the answer's headers are longer than 65536 bytes")
  end)

  it("says why there is no answer, without what the URL may hide", function()
    assert_reason("reset", "GET " .. server.url .. "/reset: Recv failure: Connection reset by peer")
    assert_reason("closed", "/close: Empty reply from server")
    -- libcurl's own words, from 8.13 on others.
    assert_reason("cut", "/cut: ")
    assert.matches("7 bytes", told.cut.reason)
    assert_reason("rubbish", "/rubbish: Received HTTP/0.9")
    assert_reason("nobody", "GET http://127.0.0.1:1/x: Failed to connect to 127.0.0.1 port 1")
    assert_reason("hang", "/hang: there is no answer after 50 ms")
    assert_reason("stall", "/stall: the answer has not ended after 50 ms")
  end)

  it("waits in pcall and in coroutines, and says where it cannot", function()
    assert.equal(200, told["in pcall"].status)
    assert.equal(200, told["in a coroutine"].status)
    assert_reason("in table.sort", "lagoon.http.request: cannot wait here")
  end)

  for example, reason in pairs({
    ["no table"] = "takes a table such as {url = ...}, got string",
    ["unknown option"] = "unknown option 'methd', did you mean 'method'?",
    ["odd option"] = "unknown option 'true': there are method, url, headers, body, timeout,",
    ["other scheme"] = 'url must begin with http:// or https://, got "file:///etc/passwd"',
    ["no scheme"] = 'url must begin with http:// or https://, got "localhost/x"',
    ["wrong port"] = "got one that may hold a password",
    ["space in the url"] = 'got "http://localhost/a b"',
    ["line in the url"] = 'got "http://localhost/a"',
    ["nul in the url"] = "url has a NUL in it",
    ["number for a url"] = "url must be a string, got number",
    ["small method"] = 'method must be capital letters, such as "POST", got "get"',
    ["two methods"] = 'got "GET / HTTP/1.1"',
    ["connect"] = "method CONNECT is for tunnels",
    ["head with a body"] = "a HEAD request has no body",
    ["table for a body"] = "body must be a string, got table; lagoon.json.encode makes one",
    ["line in a header"] = "header 'x' has a line break or another control character",
    ["nul in a header"] = "header 'x' has a line break or another control character",
    ["space in a name"] = '"x y" is no name of a header',
    ["line in a name"] = '"x" is no name of a header',
    ["own length"] = "header 'content-LENGTH' follows from the body",
    ["table in a header"] = "header 'x' must be a string or an integer, got table",
    ["half a pair"] = "header 'x' must be a string or an integer, got nil",
    ["text for headers"] = "headers must be a table, got string",
    ["no timeout"] = "timeout must be longer than 0",
    ["wrong timeout"] = 'timeout: a duration is written like "250ms"',
    ["wrong max_body"] = 'max_body: a size is written like "64KiB"',
  }) do
    it("refuses what is wrong: " .. example, function()
      assert_reason(example, "lagoon.http.request: ")
      assert_reason(example, reason)
    end)
  end

  it("keeps its connections, and takes a new one for one that the server has left", function()
    local before = server:counts().connections
    local handled = handle([[
local lagoon = require("lagoon")
return function(event)
  for i = 1, 50 do assert(lagoon.http.request({ url = event.server .. "/echo" })) end
  assert(lagoon.http.request({ url = event.server .. "/leave" }))
  os.execute("sleep 0.1")
  assert(lagoon.http.request({ url = event.server .. "/echo" }))
end
]], ('{"server":%q}'):format(server.url))
    assert.equal(0, handled.code, handled:tail())
    assert.equal(2, server:counts().connections - before)
  end)

  it("ends with its handler's time", function()
    local handled = handle(ASKS, ('{"url":"%s/hang"}'):format(server.url), nil,
      { handler_timeout = "100ms" })
    assert.equal(7, handled.code)
    assert.matches("failed: .*ended: it ran longer than 0.1 s %(handler_timeout%)",
      handled:stdout())
    handled = handle(ASKS, ('{"url":"%s/hang","timeout":"1h"}'):format(server.url), nil,
      { handler_timeout = "100ms" })
    assert.equal(7, handled.code)
  end)

  it("goes by the proxy that the environment names", function()
    local handled = handle(ASKS, '{"url":"http://nowhere.invalid/status/201"}',
      { no_proxy = "", http_proxy = server.url })
    assert.matches("INFO  404", handled:stdout(), 1, true)
  end)

  it("is not there at the top of a file", function()
    local handled = handle("require('lagoon').http.request({ url = 'http://localhost' })", "{}")
    assert.equal(3, handled.code)
    assert.matches("lagoon.http.request: cannot wait at the top of a file", handled:stderr(), 1,
      true)
  end)

  describe("by TLS", function()
    local authority, url

    setup(function()
      authority = certificates.new("an authority")
      local one = authority:sign("server", { names = "IP:127.0.0.1" })
      local number = port.free()
      url = ("https://127.0.0.1:%d/"):format(number)
      local started = process.start({ "openssl", "s_server", "-www", "-accept",
        "127.0.0.1:" .. number, "-cert", one.certificate, "-key", one.key }, { input = true })
      started:wait_for("^ACCEPT")
    end)

    it("takes a server that an authority of SSL_CERT_FILE has signed", function()
      local handled = handle(ASKS, ('{"url":%q}'):format(url), { SSL_CERT_FILE = authority.ca })
      assert.matches("INFO  200", handled:stdout(), 1, true)
    end)

    it("refuses one that nobody known has signed, and one of another name", function()
      local handled = handle(ASKS, ('{"url":%q}'):format(url))
      assert.matches("SSL certificate problem: .*; SSL_CERT_FILE names", handled:stdout())
      handled = handle(ASKS, ('{"url":%q}'):format(url:gsub("127%.0%.0%.1", "localhost")),
        { SSL_CERT_FILE = authority.ca })
      assert.matches("no alternative certificate subject name matches", handled:stdout())
      assert.not_matches("INFO  200", handled:stdout(), 1, true)
    end)
  end)
end)

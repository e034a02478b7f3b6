-- The proxy that specs put between clients and Kafka.

local uv = require("luv")

local fault_proxy = require("spec.support.fault_proxy")
local scope = require("spec.support.scope")
local wait = require("spec.support.wait")

-- It sends back what it gets.
local function start_echo()
  local server = uv.new_tcp()
  assert(server:bind("127.0.0.1", 0))
  server:listen(16, function()
    local client = uv.new_tcp()
    server:accept(client)
    client:read_start(function(failure, data)
      if data then
        client:write(data)
      elseif failure or not client:is_closing() then
        client:close()
      end
    end)
  end)
  scope.defer(function()
    server:close()
  end)
  return "127.0.0.1:" .. server:getsockname().port
end

local function connect(address)
  local client = { socket = uv.new_tcp(), text = "", reads = 0 }
  scope.defer(function()
    if not client.socket:is_closing() then
      client.socket:close()
    end
  end)
  local port = math.tointeger(address:match("%d+$"))
  client.socket:connect("127.0.0.1", port, function(failure)
    client.is_connected, client.failure = true, failure
    client.socket:read_start(function(reason, data)
      client.failure = client.failure or reason
      client.is_ended = not data
      client.text = client.text .. (data or "")
      client.reads = client.reads + 1
    end)
  end)
  wait.till("the connection", 5000, function()
    return client.is_connected
  end)
  return client
end

local function wait_text(client, text)
  wait.till("what was sent to come back", 10000, function()
    return client.text == text, ("%d of %d bytes"):format(#client.text, #text)
  end)
end

describe("The fault proxy", function()
  local proxy, front

  before_each(function()
    proxy = fault_proxy.start()
    front = proxy:listen(start_echo())
  end)

  it("forwards both ways, byte for byte, and the end too", function()
    local client = connect(front.address)
    local text = ("0123456789\0\r\n\255"):rep(50000)
    client.socket:write(text)
    wait_text(client, text)
    client.socket:shutdown()
    wait.till("the end", 5000, function()
      return client.is_ended
    end)
    assert.is_nil(client.failure)
  end)

  it("delays each way by a latency, also of connections that are open", function()
    local client = connect(front.address)
    client.socket:write("a")
    wait_text(client, "a")
    front:set("latency", 150)
    local began = uv.hrtime()
    client.socket:write("b")
    wait_text(client, "ab")
    assert.is_true(uv.hrtime() - began >= 299 * 1000000)
  end)

  it("keeps connections as a blackhole, forwards nothing, and all of it afterwards", function()
    local before = connect(front.address)
    before.socket:write("a")
    wait_text(before, "a")
    front:set("blackhole")
    local during = connect(front.address)
    during.socket:write("b")
    before.socket:write("c")
    -- Through another way something comes and goes meanwhile.
    local other = connect(proxy:listen(start_echo()).address)
    other.socket:write("d")
    wait_text(other, "d")
    assert.same({ "a", "" }, { before.text, during.text })
    assert.same({}, { before.failure, during.failure })
    front:set("none")
    wait_text(before, "ac")
    wait_text(during, "b")
  end)

  it("resets connections once, and new ones too while it refuses", function()
    local client = connect(front.address)
    client.socket:write("a")
    wait_text(client, "a")
    front:set("reset")
    wait.till("the reset", 5000, function()
      return client.failure
    end)
    assert.equal("ECONNRESET", client.failure)
    client = connect(front.address)
    client.socket:write("b")
    wait_text(client, "b")

    front:set("refuse")
    local refused = connect(front.address)
    for _, one in ipairs({ client, refused }) do
      wait.till("the reset", 5000, function()
        return one.failure == "ECONNRESET"
      end)
    end
    front:set("none")
    client = connect(front.address)
    client.socket:write("c")
    wait_text(client, "c")
  end)

  it("writes byte by byte what it slices", function()
    local client = connect(front.address)
    local text = ("0123456789"):rep(1000)
    front:set("slices")
    client.socket:write(text)
    wait_text(client, text)
    assert.is_true(client.reads > 10, client.reads)
    front:set("none")
    client.reads, client.text = 0, ""
    client.socket:write(text)
    wait_text(client, text)
    assert.is_true(client.reads <= 10, client.reads)
  end)

  it("outlives clients that go while it writes to them", function()
    front:set("slices")
    for _ = 1, 5 do
      local client = connect(front.address)
      client.socket:write(("a"):rep(10000))
      wait.till("the first bytes", 5000, function()
        return #client.text > 0
      end)
      client.socket:close()
    end
    local client = connect(front.address)
    client.socket:write("b")
    wait_text(client, "b")
  end)

  it("resets a connection whose server is not there", function()
    local gone = proxy:listen("127.0.0.1:" .. require("spec.support.port").free())
    local client = connect(gone.address)
    wait.till("the reset", 5000, function()
      return client.failure
    end)
    assert.equal("ECONNRESET", client.failure)
  end)
end)

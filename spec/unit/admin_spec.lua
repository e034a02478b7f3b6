local unit = require("unit")

local admin = unit.admin

describe("the address of the admin server", function()
  it("is of this machine, of all that reach it, or a Unix socket", function()
    for text, is_local in pairs({
      ["127.0.0.1:9464"] = true, ["127.8.8.8:1"] = true, ["localhost:0"] = true,
      ["[::1]:9464"] = true, ["unix:/run/lagoon.sock"] = true, ["0.0.0.0:9464"] = false,
      [":9464"] = false, ["[::]:9464"] = false, ["10.0.0.7:65535"] = false,
    }) do
      assert.equal(is_local, admin.address(text), text)
    end
  end)

  it("is refused where it is none", function()
    for _, text in ipairs({ "", "9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
      "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1", "::1:9464", "[::1:9464", "example.com:80",
      "[]:80", ("1"):rep(100) .. ":80" }) do
      local address, why = admin.address(text)
      assert.is_nil(address, text)
      assert.matches("got '" .. text .. "'", why, 1, true)
    end
    for _, text in ipairs({ "unix:", "unix:relative", "unix:/" .. ("a"):rep(108) }) do
      assert.matches("an absolute path of at most 107 bytes", select(2, admin.address(text)))
    end
  end)
end)

describe("the guard of /v1", function()
  local here, reached = { is_local = true }, { is_local = false, token = "secret" }

  it("lets whoever is on this machine ask by address or as localhost", function()
    for _, host in ipairs({ "localhost", "LocalHost:9464", "127.0.0.1:9464", "[::1]:9464",
      "10.0.0.7" }) do
      assert.equal(0, admin.check(here, { host = host }), host)
    end
  end)

  it("refuses names that may be anybody's", function()
    for _, host in ipairs({ "evil.example", "evil.example:9464", "localhost.evil.example",
      "127.0.0.1.evil.example", "", ":9464", "[::1", ("a"):rep(300) }) do
      assert.equal(host == "[::1" and 0 or 403, (admin.check(here, { host = host })), host)
    end
    assert.equal(403, (admin.check(here, {})))
  end)

  it("refuses pages of other sites", function()
    local function status(origin, site)
      return (admin.check(here, { host = "localhost:9464", origin = origin, site = site }))
    end
    assert.same({ 0, 0, 0, 403, 403, 403, 403, 403 }, {
      status("http://localhost:9464", "same-origin"), status(nil, "none"), status(),
      status("http://evil.example"), status("null"), status("http://localhost:9465"),
      status("https://localhost:9464"), status(nil, "cross-site") })
  end)

  it("is closed to other machines without a token", function()
    local status, why = admin.check({ is_local = false }, { host = "127.0.0.1" })
    assert.equal(403, status)
    assert.matches("no admin.token", why, 1, true)
  end)

  it("opens by the token alone, whole and exact", function()
    local function status(authorization)
      return (admin.check(reached, { host = "lagoon.svc:9464", authorization = authorization }))
    end
    assert.same({ 0, 0 }, { status("Bearer secret"), status("bearer  secret") })
    for _, wrong in ipairs({ "secret", "Basic secret", "Bearer", "Bearer ", "Bearer secre",
      "Bearer secret ", "Bearer secretsecret", "Bearer Secret", "Bearer secre" .. "\1" }) do
      assert.equal(401, status(wrong), wrong)
    end
    assert.equal(401, status(nil))
  end)
end)

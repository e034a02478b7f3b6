local cluster = require("unit").cluster
local config = require("unit").config
local config_file = require("spec.support.config_file")
local directory = require("spec.support.directory")
local tokens = require("lagoon.config.tokens")

local SEED = tonumber(os.getenv("LAGOON_SEED")) or os.time()
local ROUNDS = tonumber(os.getenv("LAGOON_STEPS")) or 300

local GOOD = [[
local common = { topic = "orders", handlers = { A = "handlers.a", ["B.C"] = "b" } }
local s = secret("LAGOON_SPEC_S")
return {
  cluster = {
    brokers = { "localhost:9092", "[::1]:9093" },
    tls = { verify = false, cert_file = "all.pem", key_file = "all.pem",
      key_password = "hunter2-key" },
    sasl = { mechanism = "SCRAM-SHA-256", username = "u" .. 1, password = "hunter2-word" },
    properties = { ["socket.timeout.ms"] = 10000, ["client.rack"] = s, debug = "all" },
  },
  topics = { orders = { partitions = 2, config = { ["retention.ms"] = 1 } }, [s] = nil,
    more = include("more.lua"), },
  producers = { p = { topic = "orders", key_field = "payment.id", type_header = false } },
  consumers = {
    c = { topic = common.topic, group = "g", handlers = common.handlers, workers = { min = 2 },
      window = { bytes = "64MiB", records = 10 }, drain_timeout = "5s", },
    ["d e"] = { topics = { "a", "^b.*" }, group = file("group") .. s, handlers = { X = s and "x" },
      on_error = "skip", buffer_size = env("LAGOON_SPEC_N", 5), enabled = not true, },
  },
  log = { level = "info" }, stop_timeout = 25.5,
}
]]

local MORE = [[
return { partitions = 3, replicas = 1, config = { ["a.b"] = secret("LAGOON_SPEC_S") } }
]]

-- What is moved about: tokens, but a password stays with its key, or it would be none.
local function pieces(source)
  local list, words = {}, tokens.read(source)
  local i = 1
  while words[i] do
    local piece = words[i].text
    if piece:find("password$") then
      piece = piece .. " = " .. words[i + 2].text
      i = i + 2
    elseif piece == "." and words[i + 1].text == "." then
      piece = ".."
      i = i + 1
    end
    table.insert(list, piece)
    i = i + 1
  end
  return list
end

local STRANGE = { "{", "}", ",", "=", "(", ")", "[", "]", "nil", "true", "1e300", "-1", '""',
  "0x7fffffffffffffff", '"^("', '"\\0\\n\\xff"', "{}", "function() end", "s", "return", "local",
  "end", "..", "#", "0/0", 'secret("LAGOON_SPEC_S")', "error(s)", "error({ s })", "tostring", "--",
  "string.rep(s, 3)", "not", "if", "for", "while", "password", 'password = "hunter2-strange"',
  "[==[", "math.huge", 'include("more.lua")', 'include("config.lua")', 'env("LAGOON_SPEC_T")', "\\",
  "\255", "goto", "cluster", "clusters", "tls = s", "[s] = s", "brokers = s" }

local changes = {
  function(list, at)
    table.remove(list, at)
  end,
  function(list, at)
    table.insert(list, at, list[math.random(#list)])
  end,
  function(list, at)
    table.insert(list, at, STRANGE[math.random(#STRANGE)])
  end,
  function(list, at)
    list[at] = STRANGE[math.random(#STRANGE)]
  end,
  -- Two that may well leave a good config.
  function(list, at)
    while list[at] ~= "," do
      at = at % #list + 1
    end
    list[at] = ";"
  end,
  function(list, at)
    while not tonumber(list[at]) do
      at = at % #list + 1
    end
    list[at] = tostring(math.random(100000))
  end,
  function(list, at)
    local other = math.random(#list)
    list[at], list[other] = list[other], list[at]
  end,
}

local function mutate(list)
  list = table.move(list, 1, #list, 1, {})
  for _ = 1, math.random(5) == 1 and 3 or 1 do
    changes[math.random(#changes)](list, math.random(#list))
  end
  -- Lines as they may be.
  return (table.concat(list, " "):gsub(" ", function()
    return math.random(8) == 1 and "\n" or " "
  end))
end

local function assert_clean(lines, source)
  for _, line in ipairs(lines) do
    assert(not line:find("hunter2", 1, true), line .. "\n" .. source)
    assert(not line:find("HUNTER2", 1, true), line .. "\n" .. source)
    assert(not line:find("%c"), line .. "\n" .. source)
  end
end

describe("a config that is changed at random", function()
  local folder, list, loads

  local function load_one(source, sets)
    local path = directory.write(folder .. "/config.lua", source)
    local is_dev = math.random(4) == 1
    local loaded, problems = config.load(path, is_dev, sets)
    if loaded then
      loads = loads + 1
      assert_clean(loaded.notices, source)
      assert_clean(is_dev and {} or cluster.check(path), source)
    else
      assert(#problems > 0, source)
      assert_clean(problems, source)
      for _, problem in ipairs(problems) do
        local is_placed = problem:find(folder .. "/", 1, true) == 1 or problem:find("^%-%-set ")
        assert(is_placed, problem)
      end
    end
  end

  before_each(function()
    math.randomseed(SEED)
    config_file.setenv("LAGOON_SPEC_S", "hunter2-secret")
    folder = directory.with({ ["more.lua"] = MORE, group = "g2\n",
      ["all.pem"] = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n" })
    list, loads = pieces(GOOD), 0
  end)

  it("is good before", function()
    local path = directory.write(folder .. "/config.lua", table.concat(list, " "))
    assert.same({}, select(2, config.load(path)) or {})
  end)

  it("is not harmed by --set either", function()
    local keys = { "cluster", "sasl", "password", "consumers", "c", "log", "[1]", '["d e"]', "x" }
    for _ = 1, ROUNDS / 4 do
      local path = {}
      for i = 1, math.random(4) do
        path[i] = keys[math.random(#keys)]
      end
      local value = math.random(3) == 1 and "{password = 'hunter2-set'}"
        or STRANGE[math.random(#STRANGE)]
      load_one(GOOD, { (table.concat(path, "."):gsub("%.%[", "[")) .. "=" .. value })
    end
  end)

  it("never ends the program, takes long or shows a secret", function()
    local start = os.clock()
    for _ = 1, ROUNDS do
      load_one(mutate(list))
    end
    assert(os.clock() - start < ROUNDS * 0.05 + 10, ("slow with LAGOON_SEED=%d"):format(SEED))
    local message = ("%d of %d were good with LAGOON_SEED=%d"):format(loads, ROUNDS, SEED)
    assert(loads > ROUNDS / 50 and loads < ROUNDS * 3 / 4, message)
  end)
end)

local config_file = require("spec.support.config_file")

local ORDERS = "orders = { partitions = 2 }"

-- The good config whose topics stand in a file of their own, and that file.
local function with(topics, files)
  local all = { ["topics.lua"] = topics }
  for path, text in pairs(files or {}) do
    all[path] = text
  end
  return config_file.good_but("{ " .. ORDERS .. " }", 'include("topics.lua")'), { files = all }
end

local function problems(...)
  return config_file.problems(with(...))
end

describe("config include", function()
  it("gives another file's table, which knows where it stands", function()
    local loaded = config_file.good(with("\nreturn {\n  orders = { partitions = 3 },\n}"))
    assert.equal(3, loaded.topics[1].partitions)
    assert.equal("topics.lua:3", loaded.topics[1].place)
    assert.equal("config.lua:4", loaded.producers[1].place)
  end)

  it("finds files beside the one that includes them, and counts them as read", function()
    local loaded = config_file.good(with('return include("parts/all.lua")', {
      ["parts/all.lua"] = 'return { orders = include("./one.lua"), b = include("deep/b.lua") }',
      ["parts/one.lua"] = "#!/usr/bin/lua\nreturn { partitions = 4 }",
      ["parts/deep/b.lua"] = 'return { config = { ["x.y"] = file("text") } }',
      ["parts/deep/text"] = "z\n",
    }))
    assert.equal("parts/deep/b.lua:1", loaded.topics[1].place)
    assert.same({ "x.y=z" }, loaded.topics[1].settings)
    assert.same({ "parts/one.lua:2", 4 }, { loaded.topics[2].place, loaded.topics[2].partitions })
    local files = "\n" .. table.concat(loaded.files, "\n") .. "\n"
    for _, path in ipairs({ "topics.lua", "all.lua", "one.lua", "deep/b.lua", "deep/text" }) do
      assert.is_truthy(files:find("/" .. path .. "\n", 1, true), path)
    end
    assert.equal(5, #loaded.files)
  end)

  it("names problems with that file's path and line", function()
    assert.same({
      "topics.lua:2: topics.orders.partitions: must be an integer from 1 to 100000, got 0",
      "topics.lua:3: topics.orders.partitons: unknown key, did you mean 'partitions'?",
      "topics.lua:4: topics.orders.partitons: is written twice, first on line 3",
      'topics.lua:6: env("LAGOON_SPEC_NONE"): the variable is not set',
    }, problems([[
return {
  orders = { partitions = 0,
    partitons = 1,
    partitons = 2,
  },
  b = { config = { ["a.b"] = env("LAGOON_SPEC_NONE") } },
}
]]))
  end)

  it("knows the line of a table however it gets into the config", function()
    assert.same({ "more.lua:2: topics.b.x: unknown key" }, problems([[
local topics = { orders = {} }
for name, topic in pairs(include("more.lua")) do
  topics[name] = topic
end
return topics
]], { ["more.lua"] = "return {\n  b = { x = 1 },\n}" }))
  end)

  it("says what is wrong with the file itself, and once", function()
    for text, expected in pairs({
      ["return {"] = "topics.lua:1: unexpected symbol near <eof>",
      ["\nreturn 5"] = "topics.lua:2: must return a table, got 5",
      ["local x = 1"] = "topics.lua:1: must return a table, got nil",
      ["\nerror('no')"] = "topics.lua:2: no",
      ["return {\n x = nil + 1 }"] = "topics.lua:2: attempt to perform arithmetic on a nil value",
      ["return { x = os }"] = "topics.lua:1: unknown name 'os', did you mean 'env'?",
      ["\nx = 1"] = "topics.lua:2: must not set the global 'x', write local in front",
      ['\n\nreturn include("none.lua")'] =
        'topics.lua:3: include("none.lua"): No such file or directory',
      ["\nreturn include(5)"] = "topics.lua:2: include(5): needs the path of a file",
      ["\n\nwhile true do end"] = "topics.lua:3: is still running after 2 s",
      ["local t = {}\nfor i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end"] =
        "topics.lua:2: needs more than 64 MiB of memory",
    }) do
      assert.same({ expected }, problems(text))
    end
    local source = config_file.good_but("{ " .. ORDERS .. " }", "include(\".\")")
    assert.same({ 'config.lua:3: include("."): Is a directory' }, config_file.problems(source))
    assert.same({ 'config.lua:1: include("a"): No such file or directory' },
      config_file.problems('return include("a")'))
  end)

  it("leaves a file that raises, when the config goes on", function()
    assert.same({ 'topics.lua:2: include("b.lua"): No such file or directory' }, problems([[
local ok = pcall(include, "deep/a.lua")
return { orders = not ok and include("b.lua") or nil }
]], { ["deep/a.lua"] = 'error("no")', ["deep/b.lua"] = "return {}" }))
  end)

  it("refuses circles and endless chains", function()
    assert.same({
      'b.lua:1: include("topics.lua"): includes itself: topics.lua -> b.lua -> topics.lua',
    }, problems('return { orders = include("./b.lua") }',
      { ["b.lua"] = 'return { config = include("topics.lua") }' }))
    assert.same({
      'topics.lua:1: include("x/../config.lua"): ' ..
        "includes itself: config.lua -> topics.lua -> config.lua",
    }, problems('return include("x/../config.lua")', { ["x/y"] = "" }))
    local chain = {}
    for i = 1, 30 do
      chain[i .. ".lua"] = ("local t = include('%d.lua')\nreturn t"):format(i + 1)
    end
    assert.same({ '19.lua:1: include("20.lua"): stands more than 20 includes deep' },
      problems('return include("1.lua")', chain))
  end)

  it("shows no secret of that file", function()
    assert.same({ "topics.lua:1: <secret> <secret>" }, problems([[
local _, s = { password = "hunter2" }, secret("LAGOON_SPEC_S") error("hunter2 " .. s)]],
      config_file.setenv("LAGOON_SPEC_S", "hunter3")))
  end)
end)

local config_file = require("spec.support.config_file")

-- The lines at which something is wrong, with its key.
local function places(source)
  local result = {}
  for i, problem in ipairs(config_file.problems(source)) do
    result[i] = problem:match("^config%.lua:(%d+: [^:]+):")
  end
  return result
end

describe("config finds the line of a key", function()
  it("among comments and strings of every kind", function()
    assert.same({ "15: x", "16: y", "19: z" }, places([====[
-- { x = 1, [[
--[[ { x = 1,
y = 2 ]] local text = [=[
{ x = 1 ]] } ]=]
local more = "{ x = \" } \
\z
   {" .. '{ "' --[==[ x = ]==] .. [[]]
return { cluster = {
  -- }
  brokers = "a:1", --[[ } ]]
}, -- x = 1,
  topics = {}, --

  producers = {},
  x = 1, consumers = {},
  y = "{", log = { level = "info" --[[
  ]]
  },
  z = 2 }
]====]))
  end)

  it("among expressions and functions", function()
    assert.same({ "6: a", "11: b", "13: c", "14: d" }, places([[
return {
  cluster = (function(x)
    for i = 1, 2 do if x then return { a = 1 } end end
    repeat local b = { b = 1, } until true; while false do end
    return { brokers = ("a:1,"):rep(1) .. "b:2" } end)(false),
  a = #{ b = 1, c = { d = 1 } } + 1,
  log = {
    level = ({ "info", b = 2 })[1],
  },
  topics = select(2, { b = 1 }, {
  }), b = 1 == 1,
  producers = {},
  ["c"] = function() return { d = 1, e = 2 }, 5 end;
  [ [=[d]=] ] = { e = 1 },
}
]]))
  end)

  it("in lists", function()
    assert.same({ "5: topics[1]", "6: topics[2]", "7: topics[7]" }, places([[
return {
  cluster = { brokers = "a:1" },
  topics = {
    orders = {},
    {},
    5,
    [7] = {},
  },
}
]]))
  end)

  it("in a local table that the returned one names", function()
    assert.same({ "3: topics.orders.x", "6: producers.p.y", "8: cluster.z" }, places([[
local x, y = { x = 1 }, 2
local orders <const> = {
  x = 1,
}
local p = { topic = "orders",
  y = y }
local config = {
  cluster = { brokers = "a:1", z = x },
  topics = { orders = orders },
  producers = { p = p },
}
return config
]]))
  end)

  it("not in a table that is another local's", function()
    assert.same({ "3: cluster.x" }, places([[
local a, b = { x = 1 },
  { brokers = "a:1", x = 1 }
return { cluster = b }
]]))
  end)

  it("around a key that is not written literally", function()
    assert.same({ "5: consumers.a.group", "6: consumers.b.x", "8: consumers.c.x" }, places([[
local function consumer(group)
  return { topic = "t", group = group, handlers = { A = "a" }, x = group ~= "" and 1 or nil }
end
return { cluster = { brokers = "a:1" }, consumers = {
    a = consumer(""),
    b = consumer("b"),
    ["a" .. "b"] = nil,
    c = consumer("c"),
} }
]]))
  end)

  it("as the last line where no table is written", function()
    assert.same({ "2: x", "2: cluster" }, places('local t = {} t.x = 1\nreturn (t)\n'))
  end)

  it("behind a first line for the shell and a byte order mark", function()
    local source = '#!/usr/bin/env lagoon\nreturn {\n  cluster = { brokers = "a:1" }, x = 1 }'
    assert.same({ "3: x" }, places(source))
    assert.same({ "3: x" }, places("\xef\xbb\xbf" .. source))
    assert.same({ "3: x" }, places(source:gsub("\n", "\r\n")))
  end)
end)

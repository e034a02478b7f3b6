-- The handler of waiting_spec.lua's examples: calls each and notes its error, or how long it took.

return [[
local journal = require("journal")
local lagoon = require("lagoon")

local producer = lagoon.producer("out")
local M = {}

M["table.sort"] = function()
  table.sort({ 2, 1 }, function(a, b)
    lagoon.sleep(0.001)
    return a < b
  end)
end
M["string.gsub"] = function() return (("a"):gsub("a", function() lagoon.sleep(0.001) end)) end
M["own coroutine below table.sort"] = function()
  table.sort({ 2, 1 }, function(a, b)
    coroutine.wrap(function() lagoon.sleep(0.001) end)()
    return a < b
  end)
end
M["await in table.sort"] = function()
  local delivery = producer:publish("Sent", {}, { key = "k" })
  table.sort({ 2, 1 }, function(a, b)
    delivery:await()
    return a < b
  end)
end
M["wrong unit"] = function() lagoon.sleep("10 fortnights") end
M["negative"] = function() lagoon.sleep(-1) end
M["no number"] = function() lagoon.sleep({}) end

M["pcall"] = function() assert(pcall(lagoon.sleep, 0.02)) end
M["pairs"] = function()
  local function walk()
    lagoon.sleep("20ms")
    return nil
  end
  for _ in walk do error("not reached") end
end
M["own coroutine that yields"] = function()
  local numbers = coroutine.wrap(function()
    for i = 1, 3 do coroutine.yield(i) end
  end)
  assert(numbers() + numbers() == 3)
  lagoon.sleep(0.02)
  assert(numbers() == 3)
end
M["own coroutine"] = function()
  local own = coroutine.create(function(a, b)
    lagoon.sleep("20ms")
    local c = coroutine.yield(a + b)
    lagoon.sleep("20ms")
    return c, nil
  end)
  assert(select(2, assert(coroutine.resume(own, 1, 2))) == 3)
  assert(coroutine.status(own) == "suspended")
  local results = table.pack(coroutine.resume(own, "c"))
  assert(results.n == 3 and results[1] and results[2] == "c" and results[3] == nil)
  assert(select(2, coroutine.resume(own)) == "cannot resume dead coroutine")
end
M["coroutines three deep"] = function()
  local function nest(depth)
    if depth == 0 then
      lagoon.sleep("20ms")
      return "deep"
    end
    return coroutine.wrap(function() return pcall(nest, depth - 1) end)()
  end
  local ok, next_ok, last_ok, text = nest(3)
  assert(ok and next_ok and last_ok and text == "deep")
end
M["error in own coroutine"] = function()
  local own = coroutine.wrap(function()
    lagoon.sleep("20ms")
    error("from inside", 0)
  end)
  local ok, message = pcall(own)
  assert(not ok and message:find("from inside$"))
end
M["await in own coroutine"] = function()
  local delivery = producer:publish("Sent", {}, { key = "k" })
  lagoon.sleep("20ms")
  local partition = coroutine.wrap(function() return delivery:await() end)()
  assert(partition == 0)
end
M["later await"] = function()
  local first = producer:publish("Sent", { n = 1 }, { key = "k" })
  local second = producer:publish("Sent", { n = 2 }, { key = "k" })
  lagoon.sleep("20ms")
  local _, offset_of_second = second:await()
  local _, offset_of_first = first:await()
  local _, again = first:await()
  assert(offset_of_second == offset_of_first + 1 and again == offset_of_first)
end

return function()
  for name, example in pairs(M) do
    local began = lagoon.now()
    local ok, message = pcall(example)
    journal.note({ is_example = true, example = name, message = not ok and message or nil,
      took = ok and lagoon.now() - began or nil })
  end
end
]]

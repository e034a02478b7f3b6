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
M["own coroutine"] = function()
  local own = coroutine.create(function() lagoon.sleep(0.001) end)
  error(select(2, coroutine.resume(own)), 0)
end
M["await in own coroutine"] = function()
  local delivery = producer:publish("Sent", {}, { key = "k" })
  local own = coroutine.wrap(function() return delivery:await() end)
  own()
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

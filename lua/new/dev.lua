-- Traffic for `lagoon dev`: somebody comes every second.

local lagoon = require("lagoon")

local visits = lagoon.producer("visits")
local names = { "Ada", "Barbara", "Grace" }

for number = 1, math.huge do
  visits:publish("VisitorCame", {
    visitor_id = ("visitor-%d"):format(number),
    name = names[(number - 1) % #names + 1],
  })
  lagoon.sleep(1)
end

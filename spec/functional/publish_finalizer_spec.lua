-- What is published while Lua's collector runs finalizers.

local application = require("spec.support.application")
local json = require("cjson")
local wait = require("spec.support.wait")

-- Under a sanitizer each takes longer.
local COUNT = math.floor(20000 / wait.patience)

describe("publish", function()
  it("sends what it was given, whatever a finalizer logs meanwhile", function()
    local app = application.new("localhost:9092", {
      producers = { out = { topic = "t", headers = { a = "1", b = "2" } } },
      consumers = { c = { topic = "t", group = "g", cpu_limit = false, handler_timeout = false,
        handlers = { Event = "publishes" } } },
    }, { publishes = ([[
      local lagoon = require("lagoon")
      local out = lagoon.producer("out")
      local function on_gc() lagoon.log.info("gone", { list = { "x" } }) end
      return function(event)
        local options = { key = "k" }
        for n = 1, %d do
          if n %% 100 == 0 then
            setmetatable({}, { __gc = on_gc })
          end
          event.n = n
          out:publish("Sent", event, options)
        end
      end
    ]]):format(COUNT) })
    local process = app:run({ "handle", "--json", "c", "Event" }, { input = "{}" }).process
    assert.equal(0, process.code, process:stderr())
    local outcome = json.decode(process:stdout())
    assert.is_true(#outcome.logs > 0)
    assert.equal(COUNT, #outcome.published)
    for n, published in ipairs(outcome.published) do
      assert.same({ n = n }, published.value)
    end
  end)
end)

-- Handles VisitorCame: whoever comes is greeted.

local lagoon = require("lagoon")

local greetings = lagoon.producer("greetings")

---@type lagoon.Handler
return function(event, context)
  if not event.name then
    return nil, "a visitor without a name"
  end
  greetings:publish("VisitorGreeted", {
    visitor_id = event.visitor_id,
    text = ("Hello, %s!"):format(event.name),
  })
  lagoon.log.info("greeted", { name = event.name, key = context.key })
end

-- As little as a handler can do.
local count = 0

return function(event)
  if event.order_id then
    count = count + 1
  end
end

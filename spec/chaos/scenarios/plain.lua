-- Nothing happens but work.

return {
  says = "1,000,000 records, 8 workers, handlers of 0 to 5 ms, nothing disturbs",
  records = 1000000,
  backlog = 20000,
  keys = 20000,
  members = 1,
  consumer = { workers = 8 },
  may_repeat = false,
  event = function()
    return { random_ms = 5 }
  end,
}

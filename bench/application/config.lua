-- What the benchmark runs; the variables are set by bench/case.lua.
local min, max = env("BENCH_WORKERS_MIN", 1), env("BENCH_WORKERS_MAX", 1)

return {
  cluster = { brokers = env("BENCH_BROKERS") },
  producers = {
    derived = { topic = "derived", key_field = "order_id" },
  },
  consumers = {
    bench = {
      topic = env("BENCH_TOPIC"),
      group = env("BENCH_GROUP"),
      offset_reset = env("BENCH_OFFSET_RESET", "earliest"),
      workers = min == max and min or { min = min, max = max, lag_threshold = 25 },
      buffer_size = env("BENCH_BUFFER_SIZE", 10),
      distribution = env("BENCH_DISTRIBUTION", "key"),
      -- How far it has come is seen by its commits.
      commit_interval = "100ms",
      handler = "handlers." .. env("BENCH_HANDLER", "count"),
    },
  },
}

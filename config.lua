-- config.lua: one source of truth; each deployment starts only what it needs
return {
  cluster = {
    brokers = env("KAFKA_BROKERS", "localhost:9092"),
  },
  topics = {
    -- Created when missing, by either side.
    orders = { partitions = 10, replicas = env("KAFKA_REPLICAS", 1) },
  },
  producers = {
    ["order-producer"] = { topic = "orders", key_field = "order_id" },
  },
  consumers = {
    ["order-events-handler"] = {
      topic = "orders",
      group = "order-processing",
      buffer_size = 10,
      workers = { min = 10, max = 100, lag_threshold = 25 },
      -- No order between records; "key" keeps each order's events in order.
      distribution = "free_worker",
      handlers = {
        OrderCreated = "handlers.order_created",
        OrderPaid = "handlers.order_paid",
        OrderShipped = "handlers.order_shipped",
      },
    },
  },
}

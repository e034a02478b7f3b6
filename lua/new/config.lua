-- config.lua: one file for every side of @NAME@; each deployment starts only what it needs.
return {
  cluster = {
    brokers = env("KAFKA_BROKERS", "localhost:9092"),
  },
  topics = {
    -- Created when missing.
    ["@NAME@-visits"] = { partitions = 4 },
    ["@NAME@-greetings"] = { partitions = 4 },
  },
  producers = {
    visits = { topic = "@NAME@-visits", key_field = "visitor_id" },
    greetings = { topic = "@NAME@-greetings", key_field = "visitor_id" },
  },
  consumers = {
    ["@NAME@-greeter"] = {
      topic = "@NAME@-visits",
      group = "@NAME@",
      handlers = {
        VisitorCame = "handlers.visitor_came",
      },
    },
  },
}

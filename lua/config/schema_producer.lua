-- The keys of topics and producers, and those that consumers have as well.

local clusters = require("lagoon.config.schema_cluster")

local M = {}

---@type lagoon.config.Row
M.codec = {
  key = "codec", type = "codec", default = "json", has_place = true,
  words = { "json", "raw", "cjson" },
  doc = "how a value's bytes become an event and back; or a module with decode and encode",
}

---@type lagoon.config.Row
M.middlewares = {
  key = "middlewares", type = "list", of = { type = "module", has_place = true },
  may_be_empty = true, default_doc = "`{}`",
  doc = "modules that stand around every call, outermost first",
}

---Of a topic, producer or consumer.
---@type lagoon.config.Row
M.cluster_name = {
  key = "cluster", type = "name", default_doc = "the only one",
  doc = "its cluster; with several the one of its declared topics, else `cluster`",
}

---@type lagoon.config.Row[]
M.topic = {
  { key = "partitions", type = "integer", min = 1, max = 100000, default_doc = "the broker's",
    doc = "when lagoon creates the topic" },
  { key = "replicas", type = "integer", min = 1, max = 1000, default_doc = "the broker's",
    doc = "when lagoon creates the topic" },
  { key = "create", type = "boolean", default = true,
    doc = "`false` waits for the topic and creates nothing" },
  { key = "config", type = "map", names = "name", of = { type = "topic setting" },
    doc = 'settings of the topic, such as `["retention.ms"] = 86400000`',
    example = '["retention.ms"] = 86400000' },
  M.cluster_name,
}

---@type lagoon.config.Row[]
M.producer = {
  { key = "topic", type = "topic", required = true, doc = "where `publish` writes" },
  { key = "key_field", type = "event path", default_doc = "none",
    doc = "path in the event to the record's key, such as `payment.id`" },
  { key = "key_missing", type = "enum", values = { "uuid", "error" }, default = "uuid",
    doc = "the key of an event without that field: a fresh UUID, or `publish` raises" },
  { key = "type_header", type = "header", default = "Message-Type", optional = true,
    doc = "the header that carries the event's type; `false` writes none" },
  M.cluster_name,
  { key = "headers", type = "map", names = "header", of = { type = "header value" },
    doc = 'headers of every record, such as `source = "shop"`', example = 'source = "shop"' },
  M.codec,
  M.middlewares,
  clusters.properties,
}

return M

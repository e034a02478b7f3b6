-- The keys of config.lua, one row each. Checking, defaults and the documentation come from here.

local clusters = require("lagoon.config.schema_cluster")
local failures = require("lagoon.config.failures")
local rules = require("lagoon.config.rules")
local security = require("lagoon.config.security")
local shared = require("lagoon.config.schema_producer")

---@class lagoon.config.Row
---@field key string? of the table around it; not for what a list or map holds
---@field type string a function of lagoon.config.types, or "record", "map" or "list"
---@field also string[]? what others call it, for those who are used to that
---@field doc string? one phrase for the reference
---@field required boolean?
---@field default any as a user would write it
---@field default_doc string? where the default is no constant
---@field min any the lowest value, as a user would write it
---@field max any
---@field values string[]? of an enum
---@field words string[]? that a codec may be beside a module
---@field optional boolean? false turns it off
---@field secret boolean? never printed
---@field has_no_default boolean? of a table: absent it is nil, not all defaults
---@field fields lagoon.config.Row[]? of a record
---@field short lagoon.config.Row? what may stand in place of a record: a kind of Lua value, what it
---  must be in words, and what expands a right one to the record
---@field of lagoon.config.Row? what a list or map holds
---@field has_place boolean? the runtime gets {value, place}
---@field may_be_empty boolean? a list
---@field names string? the type of a map's keys
---@field example string? of a map, for a message
---@field check fun(value: table, given: table, place: lagoon.config.Place)? after its fields

local properties = clusters.properties
local codec, middlewares, cluster_name = shared.codec, shared.middlewares, shared.cluster_name

local workers = {
  { key = "min", type = "integer", min = 1, max = 1000, default = 1,
    doc = "threads that run handlers, at least" },
  { key = "max", type = "integer", min = 1, max = 1000, default_doc = "CPUs",
    doc = "and at most" },
  { key = "lag_threshold", type = "integer", min = 1, max = 1000000000, default = 1000,
    doc = "records of lag that ask for one worker" },
}

local window = {
  { key = "records", type = "integer", min = 1, max = 10000000, default = 10000,
    doc = "records read and not settled" },
  { key = "bytes", type = "size", min = "64KiB", max = "1024GiB", default = "64MiB",
    doc = "their bytes" },
}

local policies = { "dead_letter", "skip", "stop" }

local on_error = {
  { key = "retries", type = "integer", min = 0, max = 1000000, default = 10,
    doc = "how often a record whose handler failed is tried again" },
  { key = "backoff", type = "duration", min = "1ms", max = "1h", default = "100ms",
    doc = "the wait before the first retry; it doubles with each" },
  { key = "max_backoff", type = "duration", min = "1ms", max = "24h", default = "30s",
    doc = "the longest wait" },
  { key = "jitter", type = "boolean", default = true,
    doc = "each wait is shortened by up to its half, at random" },
  { key = "give_up", type = "enum", values = policies, default = "dead_letter",
    doc = "what becomes of a record whose retries are used up" },
  { key = "breaker", type = "integer", min = 1, max = 1000000, default = 20, optional = true,
    doc = "records given up in a row after which none is, until one is handled" },
}

local consumer = {
  { key = "topic", type = "topic or pattern",
    doc = 'the topic it reads, or `"^..."`, a regular expression for several' },
  { key = "topics", type = "list", of = { type = "topic or pattern" }, check = rules.distinct,
    doc = "or several" },
  { key = "group", type = "group", required = true, also = { "group_id", "group.id" },
    doc = "the consumer group" },
  { key = "enabled", type = "boolean", default = true, doc = "`false` does not start it" },
  { key = "instance_id", type = "instance", default_doc = "none",
    doc = "makes a static member of the group, which may restart without a rebalance" },
  { key = "offset_reset", type = "enum", values = { "earliest", "latest", "none" },
    default = "earliest", also = { "auto_offset_reset", "auto.offset.reset" },
    doc = "where a partition without a committed offset begins" },
  { key = "workers", type = "record", fields = workers, check = rules.workers,
    short = { type = "integer", min = 1, max = 1000, of = "number", must = "a number or a table",
      expand = rules.fixed_workers },
    also = { "num_workers", "threads", "concurrency" },
    doc = "threads that run handlers; a number fixes the count" },
  { key = "buffer_size", type = "integer", min = 1, max = 10000, default = 10,
    doc = "handlers one worker may have begun and not finished; 1 is strictly one at a time" },
  { key = "distribution", type = "enum", values = { "key", "partition", "free_worker" },
    default = "key", doc = "what is handled in order: equal keys, a partition, or nothing" },
  { key = "handlers", type = "map", names = "event type", of = { type = "module" },
    default_doc = "none", has_no_default = true, check = rules.not_empty,
    example = 'OrderPaid = "handlers.order_paid"',
    doc = "the module that handles each type of event" },
  { key = "handler", type = "module", has_place = true,
    doc = "the module that handles every record which `handlers` does not" },
  { key = "type_header", type = "header", default = "Message-Type",
    doc = "the header that carries the event's type" },
  { key = "type_field", type = "event path", default = "type", optional = true,
    doc = "path in the event to its type, for records without that header" },
  codec,
  { key = "nulls", type = "enum", values = { "drop", "keep" }, default = "drop",
    doc = "a null field of an object is absent, or `lagoon.null`" },
  middlewares,
  { key = "on_error", type = "record", fields = on_error, check = failures.on_error,
    short = { type = "enum", values = policies, of = "string",
      must = '"dead_letter", "skip", "stop" or a table', expand = failures.at_once },
    doc = "what becomes of a record whose handler fails; a word is give_up without retries" },
  { key = "on_invalid", type = "enum", values = policies, default = "dead_letter",
    doc = "a record that cannot be decoded, is too large or has no type" },
  { key = "on_unknown_type", type = "enum", values = policies, default = "skip",
    doc = "a record of a type without a handler" },
  { key = "on_tombstone", type = "enum", values = { "handle", "skip" }, default = "handle",
    doc = "a record without a value" },
  { key = "dead_letter", type = "topic", optional = true,
    default_doc = '`"<topic>.<group>.dead-letter"`',
    doc = "the topic where records end that are given up; `false` for none" },
  { key = "handler_timeout", type = "duration", min = "10ms", max = "24h", default = "30s",
    optional = true,
    doc = "how long a handler may take, its waits included but those for a broker" },
  { key = "cpu_limit", type = "duration", min = "10ms", max = "1h", default = "1s",
    optional = true, doc = "CPU time that a handler may use between two waits" },
  { key = "stall_after", type = "duration", min = "1s", max = "24h", optional = true,
    default_doc = '`"60s"`, or twice `handler_timeout` where that is longer',
    doc = "how long a partition may stand still before it is named in log, status and metrics" },
  { key = "on_stuck", type = "enum", values = { "report", "abort" }, default = "report",
    doc = "when a handler does not end though it was asked to" },
  { key = "drain_timeout", type = "duration", min = "0s", max = "1h", default = "5s",
    doc = "how long handlers may finish when a partition is revoked" },
  { key = "commit_interval", type = "duration", min = "10ms", max = "1h", default = "1s",
    doc = "how often offsets are committed" },
  { key = "window", type = "record", fields = window,
    doc = "how much is read ahead of the handlers" },
  { key = "max_ahead", type = "integer", min = 1, max = 100000000, default = 200000,
    doc = "records settled beyond the oldest unsettled one, per partition" },
  { key = "max_record", type = "size", min = "1KiB", max = "512MiB", default = "1MiB",
    doc = "a larger record is invalid" },
  cluster_name,
  properties,
}

local log = {
  { key = "level", type = "enum", values = { "debug", "info", "warn", "error" },
    default = "info", doc = "the least that is logged" },
  { key = "format", type = "enum", values = { "auto", "text", "json" }, default = "auto",
    doc = "`auto` is text on a terminal, else JSON" },
}

local lua = {
  { key = "gc", type = "enum", values = { "generational", "incremental" },
    default = "generational", doc = "Lua's garbage collector" },
  { key = "memory_limit", type = "size", min = "4MiB", max = "1024GiB", default = "256MiB",
    doc = "what a worker's Lua state may use" },
}

local admin = {
  { key = "listen", type = "listen", default_doc = '`"127.0.0.1:9464"`',
    doc = "an address and port, or `unix:/path`" },
  { key = "token", type = "text", secret = true, default_doc = "none",
    doc = "who asks for what is under /v1 shows it; without one that is off where other machines "
      .. "reach it" },
}

local store = {
  { key = "memory_limit", type = "size", min = "64KiB", max = "1024GiB", default = "64MiB",
    doc = "what all values of lagoon.shared may take together" },
}

---@type lagoon.config.Row
return {
  type = "record",
  check = rules.config,
  fields = {
    { key = "cluster", type = "record", fields = clusters.fields, has_no_default = true,
      check = security.cluster, doc = "the Kafka cluster" },
    { key = "clusters", type = "map", names = "name", example = "east = {...}",
      of = { type = "record", fields = clusters.fields, check = security.cluster },
      doc = "or several, by name" },
    { key = "topics", type = "map", names = "topic", example = "orders = {...}",
      of = { type = "record", fields = shared.topic },
      doc = "topics that lagoon creates when missing" },
    { key = "producers", type = "map", names = "name", example = '["order-producer"] = {...}',
      of = { type = "record", fields = shared.producer, check = rules.producer },
      doc = "what scripts publish by" },
    { key = "consumers", type = "map", names = "name", example = '["order-handler"] = {...}',
      of = { type = "record", fields = consumer, check = rules.consumer },
      doc = "what is read and handled" },
    { key = "admin", type = "record", fields = admin, secret = true,
      short = { type = "boolean", of = "boolean", must = "a table, or false for none",
        expand = rules.no_admin },
      doc = "the HTTP server for probes, metrics and operators; `false` for none" },
    { key = "log", type = "record", fields = log, doc = "the log" },
    { key = "lua", type = "record", fields = lua, doc = "each worker's Lua state" },
    { key = "shared", type = "record", fields = store,
      doc = "what all of the process's Lua states have in common" },
    { key = "watch", type = "boolean", default = false,
      doc = "reloads when config or scripts change" },
    { key = "stop_timeout", type = "duration", min = "1s", max = "1h", default = "25s",
      doc = "the one deadline from SIGTERM to exit" },
  },
}

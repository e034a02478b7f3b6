---@meta lagoon
-- luacheck: no unused, globals env secret file include

-- What a script of lagoon can use, for editors that read LuaCATS annotations. Nothing loads this
-- file when lagoon runs.
--
-- A file's top level runs when the file is loaded: it may require, ask for producers and read the
-- environment, and it must neither wait nor publish. A handler may do both.

---@class lagoon
---@field null lightuserdata JSON's null: in arrays of an event, in what json.decode gives, and to
---  write one; also a null key or header in publish. The same value as cjson.null.
---@field http lagoon.Http
---@field json lagoon.Json
---@field log lagoon.Log
local lagoon = {}

---A time span: text with a unit (`"250ms"`, `"30s"`, `"5m"`, `"1h"`) or a number of seconds.
---@alias lagoon.Duration string|number

---A number of bytes, or text with a unit: `"64KiB"`, `"1MiB"`, `"1GiB"`.
---@alias lagoon.Size string|integer

-- ---- handlers ----------------------------------------------------------------------------------

---What a handler module returns. A return is success. It fails when it raises an error, or returns
---nil or false and a second value that is not nil; on_error says what becomes of its record then.
---@alias lagoon.Handler fun(event: any, context: lagoon.Context): any, any

---What a script module may return in place of a function. on_load and on_unload run when a worker
---begins and ends; they may block, and can neither wait nor publish.
---@class lagoon.HandlerModule
---@field handle lagoon.Handler
---@field on_load? fun(): any, any fails like a handler; then nothing starts
---@field on_unload? fun()

---Stands around every handler of a consumer: `return next(event, context)`. When it returns nothing
---the outcome is what next gave.
---@alias lagoon.Middleware fun(event: any, context: lagoon.Context, next: lagoon.Handler): any, any

---Stands around every publish of a producer; next gives the delivery.
---@alias lagoon.ProducerMiddleware fun(event: any, context: lagoon.ProducerContext,
---  next: lagoon.Publishing): any
---@alias lagoon.Publishing fun(event: any, context: lagoon.ProducerContext): lagoon.Delivery

---What a producer's middlewares may read and change.
---@class lagoon.ProducerContext
---@field type string
---@field topic string
---@field key? string|integer|lightuserdata nil as long as it is not known
---@field headers table<any, any> a map of names to values, or the list that publish got
---@field partition? integer
---@field timestamp? integer

---What a codec's module returns; both may raise, or return nil and why.
---@class lagoon.Codec
---@field decode? fun(bytes: string, context: lagoon.Context): any, any for consumers
---@field encode? fun(event: any, context: { type: string, topic: string }): string?, any for
---  producers

---Where a handler's record comes from. Read-only, and over when the handler has returned: later
---uses raise, as does a field that is not listed here.
---@class lagoon.Context
---@field topic string
---@field partition integer
---@field offset integer
---@field timestamp integer? milliseconds since 1970; nil when the record has none
---@field key string? any bytes; nil for a null key, "" for an empty one
---@field type string? the value of the type header or field; nil only for `handler`
---@field attempt integer how often the record was tried, from 1
---@field consumer string name of the consumer in config.lua
---@field group string
---@field worker integer number of the worker in its consumer, from 1
---@field generation integer of the reading of config and scripts, from 1; one more with each reload
local Context = {}

---The last value of that name: any bytes, lagoon.null for a null one, nil when there is none.
---@param name string
---@return string|lightuserdata|nil
function Context:header(name) end

---All headers in their order, as a list of {name, value}; a null value is lagoon.null.
---@return { [1]: string, [2]: string|lightuserdata }[]
function Context:headers() end

---The record's value as it is: any bytes, nil for a tombstone.
---@return string?
function Context:raw() end

---topic-partition-offset: tells the record from every other one of its cluster, the same at each
---attempt. For an Idempotency-Key.
---@return string
function Context:id() end

-- ---- publishing --------------------------------------------------------------------------------

---@class lagoon.Producer
local Producer = {}

---A producer of config.lua. Connects nothing: may be called anywhere, best at the top of a file.
---Raises when no such producer is declared, so that `lagoon check` finds a wrong name.
---@param name string
---@return lagoon.Producer
function lagoon.producer(name) end

---lagoon.null for a null value.
---@alias lagoon.HeaderValue string|integer|lightuserdata

---@alias lagoon.HeaderPair { [1]: string, [2]: lagoon.HeaderValue }

---A map; or, where order or repeated names matter, a list of {name, value}.
---@alias lagoon.Headers table<string, lagoon.HeaderValue>|lagoon.HeaderPair[]

---@class lagoon.PublishOptions
---@field key? string|integer|lightuserdata the record's key, in place of the event's key field;
---  lagoon.null for a null key
---@field headers? lagoon.Headers behind the type header
---@field topic? string in place of the producer's
---@field partition? integer from 0; without it the key decides
---@field timestamp? integer milliseconds since 1970; without it, or with 0, now

---Publishes one event as JSON and returns at once. In a handler nobody has to await for safety: the
---handler's record is settled only when Kafka has acknowledged everything it published. While the
---producer's queue is full the handler waits; where it cannot wait its thread does.
---
---A nil event is a tombstone and needs options.key.
---
---Raises in a file's top level, for an event that JSON cannot express, for wrong options, and for a
---record that is too large.
---@param type string not empty; goes into the type header
---@param event any
---@param options? lagoon.PublishOptions
---@return lagoon.Delivery
function Producer:publish(type, event, options) end

---A published record on its way.
---@class lagoon.Delivery
local Delivery = {}

---Waits for Kafka's answer; the worker takes another record meanwhile. Raises when Kafka refused
---the record for good. Waits where lagoon.sleep may wait.
---@return integer partition
---@return integer offset
function Delivery:await() end

-- ---- what becomes of a record -------------------------------------------------------------------

---@class lagoon.RetryOptions
---@field after? lagoon.Duration until the next try; without it the backoff of on_error
---@field count? boolean false: this try does not count, so there may be any number of them

---Ends the handler: its record is tried again, as if the handler had failed, and given up when the
---retries of on_error are used up. It raises, and stands also where a pcall catches it; of several
---such calls the first stands. Only in a handler.
---@param reason any as tostring shows it
---@param options? lagoon.RetryOptions
function lagoon.retry(reason, options) end

---Ends the handler: its record is done with, unhandled, which is logged with the reason. It raises
---like lagoon.retry.
---@param reason any as tostring shows it
function lagoon.skip(reason) end

---Ends the handler: its record goes to the dead letters at once. It raises like lagoon.retry; where
---the consumer has dead_letter = false that is all it does.
---@param reason any as tostring shows it
function lagoon.dead_letter(reason) end

-- ---- shared values -----------------------------------------------------------------------------

---Values that all workers have in common, and that outlive a reload, not the process. Each call is
---one step that no other worker comes in between.
---@class lagoon.Shared
local Shared = {}

---@class lagoon.SharedOptions
---@field evict? boolean true: a cache, whose values may go, the longest unused first, when
---  shared.memory_limit is reached; where nothing may go a write raises

---The store of that name, which need not be declared. May be called anywhere.
---@param name string
---@param options? lagoon.SharedOptions
---@return lagoon.Shared
function lagoon.shared(name, options) end

---@param key string|integer
---@return string|number|boolean|nil
function Shared:get(key) end

---@class lagoon.SetOptions
---@field ttl? lagoon.Duration after which it is gone; without it, it stays

---In place of what was there, its time too; nil deletes. Raises for a table, and when there is no
---room.
---@param key string|integer
---@param value string|number|boolean|nil
---@param options? lagoon.SetOptions
function Shared:set(key, value, options) end

---Only where there is no value.
---@param key string|integer
---@param value string|number|boolean
---@param options? lagoon.SetOptions
---@return boolean is_added
function Shared:add(key, value, options) end

---@class lagoon.IncrOptions
---@field ttl? lagoon.Duration from the first on, when there was none
---@field init? number what it begins with then; 0

---Adds to the number that is there. Raises when that is no number.
---@param key string|integer
---@param by? number 1 unless given
---@param options? lagoon.IncrOptions
---@return number sum
function Shared:incr(key, by, options) end

---@param key string|integer
---@return boolean was_there
function Shared:delete(key) end

-- ---- HTTP --------------------------------------------------------------------------------------

---@class lagoon.Http
lagoon.http = {}

---@class lagoon.HttpRequest
---@field url string http:// or https://
---@field method? string capital letters; "GET", with a body "POST"
---@field headers? table<string, string|integer>|{ [1]: string, [2]: string|integer }[]
---@field body? string
---@field timeout? lagoon.Duration for all of it; never past handler_timeout, which is its default
---@field max_body? lagoon.Size of the answer, unpacked; "4MiB"

---@class lagoon.HttpAnswer
---@field status integer
---@field headers table<string, string> by name in small letters, found in any spelling
---@field body string

---Sends a request and waits for the answer, of whatever status; the worker takes another record
---meanwhile. nil and why when no answer came. Raises for what is no request. Waits where lagoon.sleep
---may wait.
---@param request lagoon.HttpRequest
---@return lagoon.HttpAnswer? answer
---@return string? reason
function lagoon.http.request(request) end

-- ---- time, names, the environment --------------------------------------------------------------

---Waits; the worker takes another record meanwhile. Only in a handler, scripts/dev.lua or the script
---of `lagoon exec`: it raises in a file's top level, in a coroutine that the script made, and inside
---table.sort, string.gsub, tostring and what else calls back from C. pcall is fine.
---@param duration lagoon.Duration
function lagoon.sleep(duration) end

---Milliseconds since 1970.
---@return integer
function lagoon.now() end

---A random UUID (version 4).
---@return string
function lagoon.uuid() end

---An environment variable. Unset or empty: the default, or an error when there is none. A default
---that is a number or a boolean decides what the text is turned into; "true" and "false" are the
---booleans. Anything else raises.
---@param name string
---@return string
---@overload fun(name: string, default: string): string
---@overload fun(name: string, default: number): number
---@overload fun(name: string, default: boolean): boolean
function lagoon.env(name) end

---The environment variable, or else the content of the file that NAME_FILE names, without one
---newline at its end. Raises when there is neither.
---@param name string
---@return string
function lagoon.secret(name) end

-- ---- JSON --------------------------------------------------------------------------------------

---@class lagoon.Json
lagoon.json = {}

---@class lagoon.JsonOptions
---@field sort_keys? boolean members in the order of their keys' bytes

---JSON text. A table with the keys 1 to n is an array, one whose keys are strings an object; an
---empty one is {} unless it is marked as an array. Raises for anything else, with its path.
---@param value any
---@param options? lagoon.JsonOptions
---@return string
function lagoon.json.encode(value, options) end

---The value of a JSON text. Integers stay integers, arrays stay arrays, nulls are lagoon.null.
---Raises for what is no JSON, with the byte offset.
---@param text string
---@return any
function lagoon.json.decode(text) end

---Marks the table, or a new one, as an array, so that it is written as one also when it is empty.
---Raises for a table that has a metatable.
---@generic T: table
---@param table T
---@return T
---@overload fun(): table
function lagoon.json.array(table) end

-- ---- the log -----------------------------------------------------------------------------------

-- Inside a handler every line names the record. print(...) is log.info with its values separated by
-- tabs.

---@class lagoon.Log
lagoon.log = {}

---@param message any as tostring shows it
---@param fields? table<string, any> at most 32; tables are written as JSON
function lagoon.log.debug(message, fields) end

---@param message any as tostring shows it
---@param fields? table<string, any> at most 32; tables are written as JSON
function lagoon.log.info(message, fields) end

---@param message any as tostring shows it
---@param fields? table<string, any> at most 32; tables are written as JSON
function lagoon.log.warn(message, fields) end

---@param message any as tostring shows it
---@param fields? table<string, any> at most 32; tables are written as JSON
function lagoon.log.error(message, fields) end

-- ---- config.lua --------------------------------------------------------------------------------

-- Annotate the file's table to have it completed and checked:
--   ---@type lagoon.Config
--   return { ... }

---In config.lua only. An environment variable. Unset or empty: the default, or a problem of the
---config when there is none. A default that is a number or a boolean decides what the text is
---turned into.
---@generic T: string|number|boolean
---@param name string
---@param default? T
---@return T
function env(name, default) end

---In config.lua only. The environment variable, or the content of the file that NAME_FILE names,
---without one newline at its end. What it gives is never printed.
---@param name string
---@return string
function secret(name) end

---In config.lua only. The content of a text file, without one newline at its end.
---@param path string relative to the file that it stands in
---@return string
function file(path) end

---In config.lua only. The table that another such file returns. It knows the same functions, and its
---problems are named by its own path and lines.
---@param path string relative to the file that it stands in
---@return table
function include(path) end

---@class lagoon.Config
---@field cluster? lagoon.ClusterConfig this or clusters is required
---@field clusters? table<string, lagoon.ClusterConfig> by the name that `cluster` elsewhere gives
---@field topics? table<string, lagoon.TopicConfig> created when missing
---@field producers? table<string, lagoon.ProducerConfig>
---@field consumers? table<string, lagoon.ConsumerConfig>
---@field admin? boolean|lagoon.AdminConfig the HTTP server for operators; false for none
---@field log? lagoon.LogConfig
---@field lua? lagoon.LuaConfig
---@field shared? lagoon.SharedConfig
---@field watch? boolean reloads when config or scripts change; false
---@field stop_timeout? lagoon.Duration from SIGTERM to exit; "25s"

---@class lagoon.ClusterConfig
---@field brokers string|string[] "host:port", several separated by commas or in a list
---@field tls? boolean|lagoon.TlsConfig encrypts the connections; false
---@field sasl? false|lagoon.SaslConfig logs in; false
---@field properties? table<string, string|integer|boolean> librdkafka's

---@class lagoon.TlsConfig
---@field ca_file? string PEM file of who signs the brokers' certificates; the system's
---@field cert_file? string PEM file of the certificate that this client shows; none
---@field key_file? string PEM file of its private key; none
---@field key_password? string opens the private key; none
---@field verify? boolean false takes any certificate; true

---@class lagoon.SaslConfig
---@field mechanism "PLAIN"|"SCRAM-SHA-256"|"SCRAM-SHA-512"
---@field username string
---@field password string never printed

---@class lagoon.TopicConfig
---@field partitions? integer when lagoon creates it; the broker's default
---@field replicas? integer when lagoon creates it; the broker's default
---@field create? boolean false waits for the topic and creates nothing; true
---@field config? table<string, string|number|boolean> the topic's settings when lagoon creates it
---@field cluster? string where there are several

---@class lagoon.ProducerConfig
---@field topic string
---@field key_field? string path in the event to the key, such as "payment.id"; none
---@field key_missing? "uuid"|"error" what an event without that field gets; "uuid"
---@field type_header? string|false the header that carries the type; "Message-Type"
---@field headers? table<string, string|integer> of every record
---@field codec? "json"|"raw"|"cjson"|string or a module with encode; "json"
---@field middlewares? string[] modules around every publish, outermost first
---@field cluster? string where there are several; that of its topic
---@field properties? table<string, string|integer|boolean> librdkafka's

---@class lagoon.ConsumerConfig
---@field topic? string this or topics is required; "^..." is a regular expression
---@field topics? string[]
---@field group string each consumer of a cluster its own
---@field enabled? boolean false does not start it; true
---@field instance_id? string makes a static member; none
---@field cluster? string where there are several; that of its topics
---@field offset_reset? "earliest"|"latest"|"none" without a committed offset; "earliest"
---@field workers? integer|lagoon.WorkersConfig a number fixes the count
---@field buffer_size? integer handlers one worker may have begun and not finished; 10
---@field distribution? "key"|"partition"|"free_worker" what is handled in order; "key"
---@field handlers? table<string, string> type to module, such as "handlers.order_paid", or member
---  of what it returns, "handlers.orders:paid"; this or handler is required
---@field handler? string the module for every record that handlers does not take
---@field type_header? string the header that carries the type; "Message-Type"
---@field type_field? string|false path in the event, for records without the header; "type"
---@field codec? "json"|"raw"|"cjson"|string or a module with decode; "json"
---@field nulls? "drop"|"keep" null fields of an object; "drop"
---@field middlewares? string[] modules around every handler, outermost first
---@field on_error? "dead_letter"|"skip"|"stop"|lagoon.ErrorConfig a word is give_up without retries
---@field on_invalid? "dead_letter"|"skip"|"stop" no JSON, too large, no type; "dead_letter"
---@field on_unknown_type? "dead_letter"|"skip"|"stop" of a type without a handler; "skip"
---@field on_tombstone? "handle"|"skip" without a value; "handle"
---@field dead_letter? string|false the topic of those given up; "<topic>.<group>.dead-letter"
---@field handler_timeout? lagoon.Duration|false how long a handler may take; default "30s"
---@field cpu_limit? lagoon.Duration|false CPU time of a handler between two waits; default "1s"
---@field stall_after? lagoon.Duration|false a partition that stands still so long is named; "60s"
---@field on_stuck? "report"|"abort" when a handler does not end though asked to; "report"
---@field drain_timeout? lagoon.Duration for handlers when partitions are revoked; "5s"
---@field commit_interval? lagoon.Duration "1s"
---@field window? lagoon.WindowConfig how much is read ahead of the handlers
---@field max_ahead? integer settled beyond the oldest unsettled, per partition; 200000
---@field max_record? lagoon.Size a larger value is invalid; "1MiB"
---@field properties? table<string, string|integer|boolean> librdkafka's

---@class lagoon.ErrorConfig
---@field retries? integer of a record whose handler failed; 10
---@field backoff? lagoon.Duration before the first retry, doubles with each; "100ms"
---@field max_backoff? lagoon.Duration the longest wait; "30s"
---@field jitter? boolean shortens each wait by up to its half, at random; true
---@field give_up? "dead_letter"|"skip"|"stop" when the retries are used up; "dead_letter"
---@field breaker? integer|false given up in a row before none is; 20

---@class lagoon.WorkersConfig
---@field min? integer threads that run handlers, at least; 1
---@field max? integer and at most; the CPUs
---@field lag_threshold? integer records of lag that ask for one worker; 1000

---@class lagoon.WindowConfig
---@field records? integer read and not settled; 10000
---@field bytes? lagoon.Size read and not settled; "64MiB"

---@class lagoon.LuaConfig
---@field gc? "generational"|"incremental" the garbage collector; "generational"
---@field memory_limit? lagoon.Size of one worker's Lua state; "256MiB"

---@class lagoon.AdminConfig
---@field listen? string "127.0.0.1:9464", ":9464" for every address, or "unix:/path"
---@field token? string for what is under /v1; never printed

---@class lagoon.SharedConfig
---@field memory_limit? lagoon.Size of all values of lagoon.shared together; "64MiB"

---@class lagoon.LogConfig
---@field level? "debug"|"info"|"warn"|"error" "info"
---@field format? "auto"|"text"|"json" "auto" is text on a terminal, else JSON

return lagoon

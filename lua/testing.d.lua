---@meta lagoon.testing

-- Handlers of an application in the process of a test, one record at a time, without Kafka: for
-- busted, or any other way to run tests with Lua 5.4. Nothing loads this file.

---@class lagoon.testing
local testing = {}

---A record as Kafka would give it.
---@class lagoon.testing.Record
---@field type? string goes into the consumer's type header
---@field key? string|integer without it a null key
---@field value? any text as it is, anything else by the consumer's codec; without it a tombstone
---@field headers? lagoon.Headers
---@field topic? string the consumer's first
---@field partition? integer 0
---@field offset? integer 0
---@field timestamp? integer milliseconds since 1970; now
---@field attempt? integer 1

---How the record ended.
---@class lagoon.testing.Outcome
---@field result "done"|"failed"|"invalid"|"skipped"|"retry"|"dead_letter"|"unknown_type"
---@field error? string why it is not done
---@field traceback? string of an error that was raised
---@field retry_after? number seconds, when the handler asked for them
---@field logs lagoon.testing.Line[]

---@class lagoon.testing.Line
---@field level "debug"|"info"|"warn"|"error"
---@field message string
---@field fields table<string, any>

---A record as it would have been sent.
---@class lagoon.testing.Publication
---@field producer string
---@field topic string
---@field type string
---@field key? string nil for a null key
---@field event? any the value, decoded by the producer's codec; its nulls are lagoon.null
---@field value? string the value's bytes; nil for a tombstone
---@field headers table<string, string|lightuserdata> with the type header; of a name the last
---@field header_list { [1]: string, [2]: string|lightuserdata }[] all of them, in order
---@field partition? integer when the handler named one
---@field timestamp? integer when the handler named one

---Runs one record through a consumer's handlers: codec, type, middlewares, handler. What these
---publish is recorded and acknowledged at once; what a producer would refuse at the call raises.
---lagoon.sleep takes no time, and lagoon.now is ahead by it. The application is the one of
---LAGOON_CONFIG, or of config.lua in the working directory.
---@param consumer string
---@param record lagoon.testing.Record
---@return lagoon.testing.Outcome outcome
---@return lagoon.testing.Publication[] published
function testing.handle(consumer, record) end

---What a handler asks for by lagoon.http.request.
---@class lagoon.testing.HttpRequest
---@field method string
---@field url string
---@field headers table<string, string> found in any spelling
---@field body? string
---@field timeout number seconds

---@class lagoon.testing.HttpAnswer
---@field status integer
---@field headers? table<string, string>
---@field body? string

---Answers the HTTP requests of handlers: in a test none is sent, and without this they raise.
---@param answer? fun(request: lagoon.testing.HttpRequest): lagoon.testing.HttpAnswer?, string?
---  nil and a text when there is to be no answer
function testing.http(answer) end

---The next record finds all scripts loaded anew and nothing in lagoon.shared. What a test put into package.loaded stays.
function testing.reset() end

---@class lagoon.testing.Options
---@field config? string path; LAGOON_CONFIG, else config.lua
---@field scripts? string path; LAGOON_SCRIPTS, else scripts beside the config

---Another application, or the same one with all scripts loaded anew.
---@param options? lagoon.testing.Options
---@return lagoon.testing.Application
function testing.open(options) end

---@class lagoon.testing.Application
local Application = {}

---@param consumer string
---@param record lagoon.testing.Record
---@return lagoon.testing.Outcome outcome
---@return lagoon.testing.Publication[] published
function Application:handle(consumer, record) end

function Application:reset() end

return testing

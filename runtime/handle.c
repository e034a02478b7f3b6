#include "handle.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "library.h"
#include "words.h"

/* More waits than this are a handler that polls for ever; one with a handler_timeout ends before.
 */
enum { MAX_WAITS = 1000000 };

static const char TRACEBACK[] = "\nstack traceback:";

/* --- the record --- */

static lua_Integer integer_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    lua_Integer value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

/* NULL when it is nil. The bytes live as long as the table. */
static const char *text_field(lua_State *L, int index, const char *name, size_t *length)
{
    lua_getfield(L, index, name);
    const char *text = luaL_optlstring(L, -1, NULL, length);
    lua_pop(L, 1);
    return text;
}

/* The record's headers, in memory that is the caller's; what they point at is the table's. */
static struct record_header *read_headers(lua_State *L, int index, size_t *count)
{
    lua_getfield(L, index, "headers");
    int list = lua_gettop(L);
    luaL_checktype(L, list, LUA_TTABLE);
    *count = lua_rawlen(L, list);
    struct record_header *headers = xcalloc(*count + 1, sizeof headers[0]);
    for (size_t i = 0; i < *count; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        headers[i].name = lua_tostring(L, -2);
        headers[i].is_null = lua_islightuserdata(L, -1);
        headers[i].value = lua_tolstring(L, -1, &headers[i].value_length);
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
    return headers;
}

/* From the table at 1, which outlives it. */
static struct record *read_record(lua_State *L)
{
    size_t key_length = 0, value_length = 0;
    const char *topic = text_field(L, 1, "topic", NULL);
    const char *key = text_field(L, 1, "key", &key_length);
    const char *value = text_field(L, 1, "value", &value_length);
    int32_t partition = (int32_t)integer_field(L, 1, "partition");
    int64_t offset = integer_field(L, 1, "offset");
    int64_t timestamp_ms = integer_field(L, 1, "timestamp");
    int attempt = (int)integer_field(L, 1, "attempt");
    struct record *record =
        record_make(topic, partition, offset, key, key_length, value, value_length);
    record->headers = read_headers(L, 1, &record->header_count);
    record->timestamp_ms = timestamp_ms;
    record->attempt = attempt;
    return record;
}

/* --- the run --- */

/* The time that the call waits for passes at once, its own time too. */
static void pass_time(struct handle *handle, struct call *call)
{
    int64_t left_ms = call->wake_at_ms - clock_monotonic_ms();
    if (left_ms <= 0)
        return;
    /* One more, since both clocks are read in whole milliseconds: nobody wakes too early. */
    handle->recorder->slept_ms += left_ms + 1;
    if (call->deadline_ms != INT64_MAX)
        call->deadline_ms -= left_ms;
}

/* Deliveries are acknowledged before anybody could wait for them, so this is an HTTP request, which
 * takes the time that it takes. */
static void wait_for_ticket(const struct call *call)
{
    uint64_t ticket = 0;
    for (;;) {
        while (inbox_drain(call->inbox, &ticket, 1) == 1)
            if (ticket == call->ticket)
                return;
        inbox_sleep(call->inbox, INT64_MAX);
    }
}

static void run(struct handle *handle, struct call *call)
{
    int64_t timeout_ms = handle->consumer->handler_timeout_ms;
    call->deadline_ms = timeout_ms > 0 ? clock_monotonic_ms() + timeout_ms : INT64_MAX;
    const struct log_sink sink = {handle->recorder, recorder_on_log};
    log_set_sink(&sink);
    enum script_result result = script_begin(handle->script, call);
    for (int waits = 0; result == SCRIPT_WAITING; waits++) {
        if (waits == MAX_WAITS) {
            free(script_cut(handle->script, call));
            call->outcome = OUTCOME_FAILED;
            call->failure = xstrdup("the handler sleeps for ever");
            break;
        }
        if (call->wait == CALL_WAITS_TICKET)
            wait_for_ticket(call);
        else
            pass_time(handle, call);
        result = script_resume(handle->script, call);
    }
    log_set_sink(NULL);
}

/* --- what came of it --- */

static const char *result_name(const struct call *call)
{
    switch (call->outcome) {
    case OUTCOME_DONE:
        return "done";
    case OUTCOME_SKIPPED:
        return "skipped";
    case OUTCOME_DEAD_LETTER:
        return "dead_letter";
    case OUTCOME_UNKNOWN_TYPE:
        return "unknown_type";
    case OUTCOME_INVALID:
        return "invalid";
    case OUTCOME_FAILED:
        return call->request.outcome == OUTCOME_FAILED ? "retry" : "failed";
    case OUTCOME_INTERRUPTED: /* nothing runs on here after a signal */
    case OUTCOME_NONE:
        break;
    }
    assert(!"an ended call has an outcome");
    return NULL;
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_bytes(lua_State *L, const char *name, const char *bytes, size_t length)
{
    if (bytes == NULL)
        return;
    lua_pushlstring(L, bytes, length);
    lua_setfield(L, -2, name);
}

static void set_unknown_type(lua_State *L, const struct consumer_config *consumer, const char *type)
{
    const char **types = xcalloc(consumer->handler_count + 1, sizeof types[0]);
    for (size_t i = 0; i < consumer->handler_count; i++)
        types[i] = consumer->handlers[i].type;
    char *meant = words_did_you_mean(type, types, consumer->handler_count, "");
    lua_pushfstring(L, "no handler takes the type '%s'%s", type, meant);
    lua_setfield(L, -2, "error");
    free(meant);
    free(types);
}

/* A failure is a message, and behind it the traceback of one that was raised. */
static void set_failure(lua_State *L, const struct call *call)
{
    if (call->failure == NULL)
        return;
    const char *traceback = strstr(call->failure, TRACEBACK);
    size_t length = traceback != NULL ? (size_t)(traceback - call->failure) : strlen(call->failure);
    set_bytes(L, "error", call->failure, length);
    if (traceback != NULL)
        set_text(L, "traceback", traceback + 1);
}

static void push_header_value(lua_State *L, const struct record_header *header)
{
    if (header->is_null)
        lua_pushlightuserdata(L, NULL);
    else
        lua_pushlstring(L, header->value, header->value_length);
}

static void set_headers(lua_State *L, const struct recorded_publication *publication)
{
    lua_createtable(L, (int)publication->header_count, 0);
    for (size_t i = 0; i < publication->header_count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushstring(L, publication->headers[i].name);
        lua_rawseti(L, -2, 1);
        push_header_value(L, &publication->headers[i]);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    json_mark_array(L, -1);
    lua_setfield(L, -2, "headers");
}

/* Pushes what the codec's module decodes; false and nothing when it cannot: a producer's need not.
 */
static bool push_by_module(lua_State *L, const struct module_config *module,
                           const struct recorded_publication *publication)
{
    int top = lua_gettop(L);
    lua_getglobal(L, "require");
    lua_pushstring(L, module->module);
    bool is_table = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1);
    if (is_table && module->member != NULL)
        is_table = lua_getfield(L, -1, module->member) == LUA_TTABLE;
    if (is_table && lua_getfield(L, -1, "decode") == LUA_TFUNCTION) {
        lua_pushlstring(L, publication->value, publication->value_length);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK && !lua_isnil(L, -1)) {
            lua_replace(L, top + 1);
            lua_settop(L, top + 1);
            return true;
        }
    }
    lua_settop(L, top);
    return false;
}

static bool push_event(lua_State *L, const struct recorded_publication *publication)
{
    const struct codec_config *codec = &publication->producer->codec;
    struct error err;
    switch (codec->codec) {
    case CODEC_RAW:
        lua_pushlstring(L, publication->value, publication->value_length);
        return true;
    case CODEC_MODULE:
        return push_by_module(L, &codec->module, publication);
    case CODEC_JSON:
    case CODEC_CJSON:
        break;
    }
    return json_decode(L, publication->value, publication->value_length, JSON_NULLS_KEEP, &err) ==
           0;
}

/* The event as the producer's codec reads it, all nulls kept; what cannot be read has none. */
static void set_event(lua_State *L, const struct recorded_publication *publication)
{
    if (publication->value != NULL && push_event(L, publication))
        lua_setfield(L, -2, "event");
}

static void push_publication(lua_State *L, const struct recorded_publication *publication)
{
    lua_createtable(L, 0, 9);
    set_text(L, "producer", publication->producer->name);
    set_text(L, "topic", publication->topic);
    set_text(L, "type", publication->type);
    set_bytes(L, "key", publication->key, publication->key_length);
    set_bytes(L, "value", publication->value, publication->value_length);
    set_event(L, publication);
    set_headers(L, publication);
    if (publication->partition >= 0) {
        lua_pushinteger(L, publication->partition);
        lua_setfield(L, -2, "partition");
    }
    if (publication->timestamp_ms > 0) {
        lua_pushinteger(L, publication->timestamp_ms);
        lua_setfield(L, -2, "timestamp");
    }
}

static void push_field(lua_State *L, const struct log_field *field)
{
    struct error err;
    if (field->kind == FIELD_INTEGER)
        lua_pushinteger(L, field->integer);
    else if (field->kind != FIELD_JSON ||
             json_decode(L, field->text, field->length, JSON_NULLS_KEEP, &err) != 0)
        lua_pushlstring(L, field->text, field->length);
}

static void push_line(lua_State *L, const struct recorded_line *line)
{
    lua_createtable(L, 0, 3);
    set_text(L, "level", log_level_name(line->level));
    set_text(L, "message", line->message);
    lua_createtable(L, 0, (int)line->field_count);
    for (size_t i = 0; i < line->field_count; i++) {
        push_field(L, &line->fields[i]);
        lua_setfield(L, -2, line->fields[i].name);
    }
    lua_setfield(L, -2, "fields");
}

static void push_result(lua_State *L, const struct handle *handle, const struct call *call)
{
    const struct recorder *recorder = handle->recorder;
    lua_createtable(L, 0, 5);
    set_text(L, "result", result_name(call));
    if (call->outcome == OUTCOME_UNKNOWN_TYPE)
        set_unknown_type(L, handle->consumer, call->failure);
    else
        set_failure(L, call);
    if (call->request.outcome == OUTCOME_FAILED && call->request.retry_after_ms >= 0) {
        lua_pushnumber(L, (lua_Number)call->request.retry_after_ms / 1000);
        lua_setfield(L, -2, "retry_after");
    }
    lua_createtable(L, (int)recorder->line_count, 0);
    for (size_t i = 0; i < recorder->line_count; i++) {
        push_line(L, &recorder->lines[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    json_mark_array(L, -1);
    lua_setfield(L, -2, "logs");
    lua_createtable(L, (int)recorder->publication_count, 0);
    for (size_t i = 0; i < recorder->publication_count; i++) {
        push_publication(L, &recorder->publications[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    json_mark_array(L, -1);
    lua_setfield(L, -2, "published");
}

int handle_record(lua_State *L)
{
    struct handle *handle = lua_touserdata(L, lua_upvalueindex(1));
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct record *record = read_record(L);
    struct call call = {.record = record, .worker = 1, .inbox = inbox_new()};
    recorder_clear(handle->recorder);
    run(handle, &call);
    inbox_release(&call.inbox);
    free((void *)record->headers);
    record_free(&record);
    push_result(L, handle, &call);
    free(call.failure);
    return 1;
}

/* --- the verb --- */

/* Protected. Arguments: the handle, the request. lua/handle.lua gives whether the record went well.
 */
static int run_print(lua_State *L)
{
    const struct handle_request *request = lua_touserdata(L, 2);
    const struct library_file *file = library_find("lagoon.handle");
    if (luaL_loadbuffer(L, file->bytes, file->length, file->chunkname) != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, handle_record, 1);
    lua_newtable(L);
    set_text(L, "topic", request->consumer->topics[0]);
    set_text(L, "type_header", request->consumer->type_header);
    set_text(L, "type", request->type);
    set_text(L, "key", request->key);
    lua_pushboolean(L, request->is_tombstone);
    lua_setfield(L, -2, "is_tombstone");
    lua_pushboolean(L, request->is_json);
    lua_setfield(L, -2, "is_json");
    lua_pushboolean(L, request->consumer->on_unknown_type == POLICY_SKIP);
    lua_setfield(L, -2, "skips_unknown_types");
    lua_createtable(L, (int)request->header_count, 0);
    for (size_t i = 0; i < request->header_count; i++) {
        lua_pushstring(L, request->headers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "headers");
    lua_call(L, 2, 1);
    return 1;
}

int handle_print(struct handle *handle, const struct handle_request *request, bool *is_good,
                 struct error *err)
{
    lua_State *L = script_state(handle->script);
    lua_pushcfunction(L, run_print);
    lua_pushlightuserdata(L, handle);
    lua_pushlightuserdata(L, (void *)request);
    int rc = lua_pcall(L, 2, 1, 0);
    if (rc != LUA_OK)
        error_set(err, "%s", lua_tostring(L, -1));
    *is_good = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return rc == LUA_OK ? 0 : -1;
}

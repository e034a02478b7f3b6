/* handle.h - one record through the handlers of a consumer without Kafka, by the way of the
 * runtime: codec, type, middlewares, handler. What it publishes and logs is recorded; its sleeps
 * take no time, its HTTP requests do.
 *
 * Threads: the one that runs the state. */
#ifndef HANDLE_H
#define HANDLE_H

#include "recorder.h"
#include "script.h"

struct handle {
    struct script *script; /* its host has this recorder */
    struct recorder *recorder;
    const struct consumer_config *consumer; /* the script's */
};

/* For Lua, with the handle as a light userdata in upvalue 1. Argument: a record, {topic, partition,
 * offset, timestamp, attempt, key, value, headers = {{name, value}, ...}}. Result: {result, error,
 * traceback, retry_after, logs = {{level, message, fields}, ...}, published = {{producer, topic,
 * type, key, headers, value, event, partition, timestamp}, ...}}. */
int handle_record(lua_State *L);

/* What `lagoon handle` asks for. */
struct handle_request {
    const struct consumer_config *consumer;
    const char *type;           /* NULL: what the headers say */
    const char *key;            /* NULL: null key */
    const char *const *headers; /* NAME=VALUE */
    size_t header_count;
    bool is_tombstone; /* otherwise standard input is the value */
    bool is_json;      /* one JSON object for programs */
};

/* Runs the record and prints all that came of it to standard output. 0 and *is_good; -1 when it
 * could not be run at all. */
MUST_USE int handle_print(struct handle *handle, const struct handle_request *request,
                          bool *is_good, struct error *err);

#endif

/* consumer.c - what a record costs without lagoon: raw, librdkafka's batches alone; bare, a Lua
 * state that decodes each event and calls one function with it, in the loop that reads.
 *
 * consumer raw|bare BROKERS TOPIC PARTITION,... HANDLER.lua [PROPERTY=VALUE...]
 *
 * Reads the partitions from their beginning to where they end now, prints "began" at the first
 * record and "done COUNT" behind the last, and stays until standard input ends, so that its times
 * can be read. */
#include <inttypes.h>
#include <lauxlib.h>
#include <librdkafka/rdkafka.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "json.h"
#include "util.h"

/* A batch that does not fill up is waited for no longer than this. */
enum { TIMEOUT_MS = 10000, BATCH = 1000, BATCH_MS = 5 };

struct reader {
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topic;
    int64_t left; /* records that are still to come */
    int64_t count;
    uint64_t bytes;
    lua_State *L; /* NULL: raw */
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "consumer: %s: %s\n", what, why);
    exit(1);
}

/* --- Kafka --- */

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        die(name, text);
}

static void open_handle(struct reader *reader, const char *brokers, char **properties)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    for (; *properties != NULL; properties++) {
        char *equals = strchr(*properties, '=');
        if (equals == NULL)
            die(*properties, "is no PROPERTY=VALUE");
        *equals = '\0';
        set(conf, *properties, equals + 1);
    }
    reader->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (reader->handle == NULL)
        die("no handle", text);
    reader->queue = rd_kafka_queue_new(reader->handle);
}

static void start_partition(struct reader *reader, const char *topic, int32_t partition)
{
    int64_t low, high;
    rd_kafka_resp_err_t rc =
        rd_kafka_query_watermark_offsets(reader->handle, topic, partition, &low, &high, TIMEOUT_MS);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("watermarks", rd_kafka_err2str(rc));
    reader->left += high - low;
    if (rd_kafka_consume_start_queue(reader->topic, partition, low, reader->queue) != 0)
        die("start", rd_kafka_err2str(rd_kafka_last_error()));
}

static void start_all(struct reader *reader, const char *topic, const char *partitions)
{
    reader->topic = rd_kafka_topic_new(reader->handle, topic, NULL);
    for (const char *next = partitions; next != NULL; next = strchr(next, ',')) {
        next += *next == ',';
        start_partition(reader, topic, (int32_t)strtol(next, NULL, 10));
    }
}

/* --- Lua --- */

/* Leaves the handler at 1. */
static lua_State *open_lua(const char *handler)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_gc(L, LUA_GCGEN, 0, 0);
    json_open(L);
    if (luaL_dofile(L, handler) != LUA_OK || !lua_isfunction(L, -1))
        die(handler, lua_isstring(L, -1) ? lua_tostring(L, -1) : "returns no function");
    return L;
}

static void call(lua_State *L, const rd_kafka_message_t *message)
{
    struct error err;
    lua_pushvalue(L, 1);
    if (json_decode(L, message->payload, message->len, JSON_NULLS_DROP, &err) != 0)
        die("an event", err.text);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        die("the handler", lua_tostring(L, -1));
}

/* --- the loop --- */

static void take(struct reader *reader, const rd_kafka_message_t *message)
{
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("a record", rd_kafka_message_errstr(message));
    if (reader->count++ == 0)
        puts("began");
    reader->bytes += message->len;
    if (reader->L != NULL)
        call(reader->L, message);
}

static void read_all(struct reader *reader)
{
    rd_kafka_message_t *batch[BATCH];
    int waited_ms = 0;
    while (reader->count < reader->left) {
        ssize_t count = rd_kafka_consume_batch_queue(reader->queue, BATCH_MS, batch, BATCH);
        waited_ms = count == 0 ? waited_ms + BATCH_MS : 0;
        if (count < 0 || waited_ms >= TIMEOUT_MS)
            die("nothing comes", rd_kafka_err2str(rd_kafka_last_error()));
        for (ssize_t i = 0; i < count; i++) {
            take(reader, batch[i]);
            rd_kafka_message_destroy(batch[i]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 6)
        die("usage",
            "consumer raw|bare BROKERS TOPIC PARTITION,... HANDLER.lua [PROPERTY=VALUE...]");
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct reader reader = {0};
    if (strcmp(argv[1], "bare") == 0)
        reader.L = open_lua(argv[5]);
    open_handle(&reader, argv[2], argv + 6);
    start_all(&reader, argv[3], argv[4]);
    read_all(&reader);
    printf("done %" PRId64 " of %" PRIu64 " bytes\n", reader.count, reader.bytes);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    _exit(0);
}

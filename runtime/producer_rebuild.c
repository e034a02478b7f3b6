/* A handle that librdkafka calls lost is made anew, and what it had not delivered is sent again.
 *
 * In this order:
 * 1. main hears of it: nobody publishes from here on (publishers find the queue full), and what the
 *    handle still has is purged;
 * 2. each report of what was purged becomes a copy of its record, and no report to its owner;
 * 3. when nothing else is outstanding, a helper destroys the handle, makes the next one and gives
 * it the copies in the order in which they were published;
 * 4. main lets publishers go on.
 *
 * So nothing new overtakes what is sent again. What was on its way when the handle was lost may be
 * there twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "producer_internal.h"
#include "thread.h"

/* A handle that is lost again and again is made anew this often. */
enum { PACE_MS = 1000 };

/* A record that is sent again. */
struct salvaged {
    struct delivery *delivery; /* its report is yet to come */
    char *topic;
    int32_t partition; /* -1: by key, where the publication did not name one */
    int64_t timestamp_ms;
    char *key; /* NULL: null key */
    size_t key_length;
    char *value; /* NULL: tombstone */
    size_t value_length;
    rd_kafka_headers_t *headers; /* NULL: none, or taken */
    char *reason;                /* why the new handle does not take it; or NULL */
};

struct rebuild {
    struct producer *producer;
    uv_work_t work;
    struct salvaged *items;
    size_t count;
    size_t capacity;
    struct error err;
    int rc;
};

bool producer_lacks_right(rd_kafka_t *handle)
{
    return rd_kafka_fatal_error(handle, NULL, 0) == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

/* --- 1 --- */

void producer_begin_rebuild(struct producer *producer, const char *reason)
{
    ASSERT_ON(THREAD_MAIN);
    if (producer->rebuild != NULL || producer->is_purged)
        return;
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    log_warn("%s: %s; it is made anew, and what is not acknowledged is sent again", producer->who,
             reason);
    producer->rebuild = xcalloc(1, sizeof *producer->rebuild);
    producer->rebuild->producer = producer;

    pthread_rwlock_wrlock(&producer->handle_lock);
    producer->is_resting = true;
    pthread_rwlock_unlock(&producer->handle_lock);
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                               RD_KAFKA_PURGE_F_NON_BLOCKING);
}

/* --- 2 --- */

static char *copy(const void *bytes, size_t length)
{
    if (bytes == NULL)
        return NULL;
    char *text = xmalloc(length + 1);
    memcpy(text, bytes, length);
    return text;
}

static void salvage(struct rebuild *rebuild, const rd_kafka_message_t *message)
{
    if (rebuild->count == rebuild->capacity) {
        rebuild->capacity = rebuild->capacity > 0 ? rebuild->capacity * 2 : 64;
        rebuild->items = xrealloc(rebuild->items, rebuild->capacity * sizeof rebuild->items[0]);
    }
    struct delivery *delivery = message->_private;
    rd_kafka_headers_t *headers = NULL;
    struct salvaged *item = &rebuild->items[rebuild->count++];
    *item = (struct salvaged){
        .delivery = delivery,
        .topic = xstrdup(rd_kafka_topic_name(message->rkt)),
        .partition = delivery->wanted_partition,
        .timestamp_ms = delivery->wanted_timestamp_ms,
        .key = copy(message->key, message->key_len),
        .key_length = message->key_len,
        .value = copy(message->payload, message->len),
        .value_length = message->len,
    };
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        item->headers = rd_kafka_headers_copy(headers);
}

bool producer_salvage(struct producer *producer, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || producer->is_purged)
        return false;
    char reason[512] = "";
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    if (rd_kafka_fatal_error(handle, reason, sizeof reason) == RD_KAFKA_RESP_ERR_NO_ERROR ||
        producer_lacks_right(handle))
        return false;
    /* Reports of the loss may come before the event that tells of it. */
    producer_begin_rebuild(producer, reason);
    salvage(producer->rebuild, message);
    return true;
}

/* --- 3 --- */

static int by_number(const void *a, const void *b)
{
    uint64_t first = ((const struct salvaged *)a)->delivery->number;
    uint64_t second = ((const struct salvaged *)b)->delivery->number;
    return first < second ? -1 : first > second;
}

static void send_again(rd_kafka_t *handle, struct salvaged *item)
{
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = item->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = item->partition},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = item->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {item->key, item->key_length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {item->value, item->value_length}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = item->delivery},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = item->headers},
    };
    size_t count = ARRAY_LENGTH(parts) - (item->headers == NULL);
    rd_kafka_error_t *error = rd_kafka_produceva(handle, parts, count);
    if (error == NULL) {
        item->headers = NULL;
        return;
    }
    item->reason = xstrdup(rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

/* On a helper; main does not look at the handle meanwhile. */
static void make_anew(uv_work_t *work)
{
    struct rebuild *rebuild = CONTAINER_OF(work, struct rebuild, work);
    struct producer *producer = rebuild->producer;
    int64_t early_ms = producer->rebuilt_ms + PACE_MS - clock_monotonic_ms();
    if (producer->rebuilt_ms > 0 && early_ms > 0)
        usleep((useconds_t)early_ms * 1000);
    pthread_mutex_lock(&producer->connect_mutex);
    producer_destroy_handle(producer);
    rebuild->rc = producer_make_handle(producer, &rebuild->err);
    if (rebuild->rc == 0) {
        rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
        if (rebuild->count > 0)
            qsort(rebuild->items, rebuild->count, sizeof rebuild->items[0], by_number);
        for (size_t i = 0; i < rebuild->count; i++)
            send_again(handle, &rebuild->items[i]);
    }
    pthread_mutex_unlock(&producer->connect_mutex);
}

/* --- 4 --- */

static void release(struct producer *producer, struct salvaged *item)
{
    if (item->reason != NULL)
        producer_settle_report(producer, item->delivery, item->topic, item->reason);
    if (item->headers != NULL)
        rd_kafka_headers_destroy(item->headers);
    free(item->topic);
    free(item->key);
    free(item->value);
    free(item->reason);
}

static void on_made_anew(uv_work_t *work, int status)
{
    (void)status;
    struct rebuild *rebuild = CONTAINER_OF(work, struct rebuild, work);
    struct producer *producer = rebuild->producer;
    const struct producer_callbacks callbacks = producer->callbacks;
    if (rebuild->rc != 0) {
        /* Nothing of it is settled: the process stops, and handles all that again. */
        callbacks.on_fatal(callbacks.context, producer->config->name, rebuild->err.text);
        return;
    }
    log_info("%s: made anew, %zu record%s sent again", producer->who, rebuild->count,
             rebuild->count == 1 ? " is" : "s are");
    for (size_t i = 0; i < rebuild->count; i++)
        release(producer, &rebuild->items[i]);
    free(rebuild->items);
    free(rebuild);
    producer->rebuild = NULL;
    producer->is_remaking = false;
    producer->rebuilt_ms = clock_monotonic_ms();
    pthread_rwlock_wrlock(&producer->handle_lock);
    producer->is_resting = false;
    pthread_rwlock_unlock(&producer->handle_lock);
    if (producer->is_purged)
        producer_purge_handle(producer);
    /* Its reports, whoever waits for room, and the close that may have waited. */
    uv_async_send(&producer->wake);
    producer_give_room(producer);
}

void producer_rebuild_when_settled(struct producer *producer)
{
    struct rebuild *rebuild = producer->rebuild;
    if (rebuild == NULL || producer->is_remaking || producer_outstanding(producer) > rebuild->count)
        return;
    producer->is_remaking = true;
    /* When this returns no wake-up is under way. */
    rd_kafka_queue_cb_event_enable(producer->queue, NULL, NULL);
    uv_queue_work(producer->wake.loop, &rebuild->work, make_anew, on_made_anew);
}

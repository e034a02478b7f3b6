#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "producer_internal.h"
#include "thread.h"

/* --- topics --- */

/* Scripts may compute topic names; beyond this many the name is given to librdkafka instead, which
 * some versions answer with a second's delay for the first record of a topic. */
enum { TOPICS_MAX = 1000 };

struct producer_topic {
    char *name;
    rd_kafka_topic_t *handle;
    UT_hash_handle hh;
};

/* NULL when there are too many. */
static rd_kafka_topic_t *topics_find(struct producer *producer, rd_kafka_t *handle,
                                     const char *name)
{
    struct producer_topic *topic = NULL;
    pthread_mutex_lock(&producer->topics_mutex);
    HASH_FIND_STR(producer->topics, name, topic);
    if (topic == NULL && HASH_COUNT(producer->topics) < TOPICS_MAX) {
        topic = xcalloc(1, sizeof *topic);
        topic->name = xstrdup(name);
        topic->handle = rd_kafka_topic_new(handle, name, NULL);
        HASH_ADD_KEYPTR(hh, producer->topics, topic->name, strlen(topic->name), topic);
    }
    pthread_mutex_unlock(&producer->topics_mutex);
    return topic != NULL ? topic->handle : NULL;
}

void producer_topics_destroy(struct producer *producer)
{
    struct producer_topic *topic, *next;
    HASH_ITER(hh, producer->topics, topic, next)
    {
        HASH_DEL(producer->topics, topic);
        rd_kafka_topic_destroy(topic->handle);
        free(topic->name);
        free(topic);
    }
}

static rd_kafka_vu_t topic_of(struct producer *producer, rd_kafka_t *handle, const char *name)
{
    rd_kafka_topic_t *topic = producer->topic;
    if (topic == NULL || strcmp(name, producer->config->topic) != 0)
        topic = topics_find(producer, handle, name);
    if (topic == NULL)
        return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = name};
    return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic};
}

/* --- publishing --- */

static rd_kafka_headers_t *make_headers(const struct publication *publication)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(publication->header_count);
    for (size_t i = 0; i < publication->header_count; i++) {
        const struct record_header *header = &publication->headers[i];
        const char *value = header->value != NULL ? header->value : "";
        rd_kafka_header_add(headers, header->name, -1, header->is_null ? NULL : value,
                            header->is_null ? 0 : (ssize_t)header->value_length);
    }
    return headers;
}

/* Gives it to librdkafka, which copies key and value and takes the headers unless it fails. */
static rd_kafka_error_t *produce(struct producer *producer, rd_kafka_t *handle, const char *topic,
                                 const struct publication *publication, struct delivery *delivery)
{
    rd_kafka_headers_t *headers = make_headers(publication);
    const rd_kafka_vu_t parts[] = {
        topic_of(producer, handle, topic),
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = publication->partition},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = publication->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)publication->key, publication->key_length}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)publication->value, publication->value_length}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = delivery},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(handle, parts, ARRAY_LENGTH(parts));
    if (error != NULL)
        rd_kafka_headers_destroy(headers);
    return error;
}

static enum publish_result say_why_not(rd_kafka_t *handle, rd_kafka_error_t *error,
                                       const char *topic, const struct publication *publication,
                                       struct error *err)
{
    /* Main will hear of it, and have it made anew. */
    if (rd_kafka_fatal_error(handle, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR &&
        !producer_lacks_right(handle))
        return PUBLISH_FULL;
    switch (rd_kafka_error_code(error)) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return PUBLISH_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        publication_say_too_large(publication, topic, err);
        break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        error_set(err, "topic \"%s\" has no partition %d", topic, (int)publication->partition);
        break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        error_set(err, "topic \"%s\" does not exist", topic);
        break;
    default:
        error_set(err, "topic \"%s\": %s", topic, rd_kafka_error_string(error));
        break;
    }
    return PUBLISH_INVALID;
}

static enum publish_result publish(struct producer *producer, rd_kafka_t *handle,
                                   const struct publication *publication,
                                   struct delivery **delivery_out, struct error *err)
{
    const char *topic = publication->topic != NULL ? publication->topic : producer->config->topic;
    struct delivery *delivery = delivery_new(publication->record, publication->attempt);
    delivery->tag = publication->tag;
    delivery->number = atomic_fetch_add_explicit(&producer->next_number, 1, memory_order_relaxed);
    delivery->wanted_partition = publication->partition;
    delivery->wanted_timestamp_ms = publication->timestamp_ms;
    /* Before the report can come, which counts down. */
    atomic_fetch_add(&producer->outstanding, 1);
    rd_kafka_error_t *error = produce(producer, handle, topic, publication, delivery);
    if (error == NULL) {
        atomic_fetch_add_explicit(&producer->published, 1, memory_order_relaxed);
        *delivery_out = delivery;
        return PUBLISH_QUEUED;
    }

    /* Somebody who waits for room may have seen the count when this one was in it, so he waits for
     * a report that will not come. */
    if (atomic_fetch_sub(&producer->outstanding, 1) == 1)
        uv_async_send(&producer->wake);
    struct delivery *reported = delivery;
    delivery_release(&reported);
    delivery_release(&delivery);
    enum publish_result result = say_why_not(handle, error, topic, publication, err);
    rd_kafka_error_destroy(error);
    return result;
}

/* The handle is lost and not made anew yet. */
static bool is_resting(struct producer *producer)
{
    pthread_rwlock_rdlock(&producer->handle_lock);
    bool is_resting = producer->is_resting;
    pthread_rwlock_unlock(&producer->handle_lock);
    return is_resting;
}

enum publish_result producer_publish(struct producer *producer,
                                     const struct publication *publication,
                                     struct delivery **delivery, struct error *err)
{
    /* Before the connection: main publishes too, and is not to wait for a helper. */
    if (is_resting(producer))
        return PUBLISH_FULL;
    if (atomic_load_explicit(&producer->handle, memory_order_acquire) == NULL &&
        producer_connect(producer, err) != 0)
        return PUBLISH_INVALID;
    if (publication_check(publication, producer->max_queue_bytes, err) != 0)
        return PUBLISH_INVALID;
    pthread_rwlock_rdlock(&producer->handle_lock);
    enum publish_result result = PUBLISH_FULL;
    if (!producer->is_resting)
        result = publish(producer, atomic_load_explicit(&producer->handle, memory_order_acquire),
                         publication, delivery, err);
    pthread_rwlock_unlock(&producer->handle_lock);
    return result;
}

/* --- waiting for room ---
 *
 * Librdkafka frees a record's place when the event with its report is destroyed. Main counts the
 * reports down, destroys the event, and then takes everybody who waits. So who registers
 * - before main takes the waiters is taken;
 * - after, and something is outstanding: another report will come and take him;
 * - after, and nothing is outstanding: he wakes main himself, which takes him then. */

struct room_waiter {
    struct link link;
    struct inbox *inbox; /* its own reference */
    uint64_t ticket;
};

void producer_wait_for_room(struct producer *producer, struct inbox *inbox, uint64_t ticket)
{
    struct room_waiter *waiter = xmalloc(sizeof *waiter);
    waiter->inbox = inbox_reference(inbox);
    waiter->ticket = ticket;
    pthread_mutex_lock(&producer->room_mutex);
    list_append(&producer->room_waiters, &waiter->link);
    bool is_idle = atomic_load(&producer->outstanding) == 0;
    pthread_mutex_unlock(&producer->room_mutex);
    if (is_idle)
        uv_async_send(&producer->wake);
}

void producer_block_for_room(struct producer *producer, int64_t timeout_ms)
{
    assert(thread_role() != THREAD_MAIN);
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += timeout_ms % 1000 * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&producer->room_mutex);
    uint64_t epoch = producer->room_epoch;
    int rc = 0;
    while (rc == 0 && producer->room_epoch == epoch && atomic_load(&producer->outstanding) > 0)
        rc = pthread_cond_timedwait(&producer->room_condition, &producer->room_mutex, &deadline);
    pthread_mutex_unlock(&producer->room_mutex);
}

void producer_give_room(struct producer *producer)
{
    struct link waiters;
    list_init(&waiters);
    pthread_mutex_lock(&producer->room_mutex);
    list_move_all(&waiters, &producer->room_waiters);
    producer->room_epoch++;
    pthread_cond_broadcast(&producer->room_condition);
    pthread_mutex_unlock(&producer->room_mutex);

    for (struct link *link = list_pop(&waiters); link != NULL; link = list_pop(&waiters)) {
        struct room_waiter *waiter = CONTAINER_OF(link, struct room_waiter, link);
        inbox_post(waiter->inbox, waiter->ticket);
        inbox_release(&waiter->inbox);
        free(waiter);
    }
}

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "producer_internal.h"
#include "thread.h"

struct producer *producer_new(uv_loop_t *loop, const struct producer_config *config,
                              const struct cluster *cluster,
                              const struct producer_callbacks *callbacks)
{
    struct producer *producer = xcalloc(1, sizeof *producer);
    producer->config = config;
    producer->cluster = cluster;
    producer->callbacks = *callbacks;
    producer->who = xasprintf("producer %s", config->name);
    atomic_init(&producer->holders, 1);
    atomic_init(&producer->handle, NULL);
    pthread_mutex_init(&producer->connect_mutex, NULL);
    pthread_rwlock_init(&producer->handle_lock, NULL);
    pthread_mutex_init(&producer->topics_mutex, NULL);
    pthread_mutex_init(&producer->room_mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&producer->room_condition, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&producer->room_waiters);
    statistics_init(&producer->statistics, loop);
    int rc = uv_async_init(loop, &producer->wake, producer_on_wake);
    assert(rc == 0);
    (void)rc;
    return producer;
}

bool producer_is_first_missing_key(struct producer *producer)
{
    return !atomic_exchange(&producer->has_missed_key, true);
}

const struct producer_config *producer_config(const struct producer *producer)
{
    return producer->config;
}

/* --- connecting --- */

/* On a thread of librdkafka, under its queue's lock: nothing but the wake-up. */
static void on_ready(rd_kafka_t *handle, void *context)
{
    (void)handle;
    struct producer *producer = context;
    uv_async_send(&producer->wake);
}

static rd_kafka_t *make_handle(struct producer *producer, struct error *err)
{
    char path[CLUSTER_PATH_BYTES];
    snprintf(path, sizeof path, "producers.%s.properties", producer->config->name);
    rd_kafka_conf_t *conf = cluster_conf_new(producer->cluster, CLUSTER_PRODUCER,
                                             &producer->config->properties, path, err);
    if (conf == NULL)
        return NULL;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG |
                                       RD_KAFKA_EVENT_STATS);
    producer->max_queue_bytes = cluster_conf_integer(conf, "queue.buffering.max.kbytes") * 1024;
    rd_kafka_t *handle = cluster_handle_new(CLUSTER_PRODUCER, &conf, err);
    if (handle == NULL)
        error_prefix(err, "%s: ", producer->who);
    return handle;
}

int producer_make_handle(struct producer *producer, struct error *err)
{
    rd_kafka_t *handle = make_handle(producer, err);
    if (handle == NULL)
        return -1;
    producer->queue = rd_kafka_queue_get_main(handle);
    if (producer->config->topic != NULL)
        producer->topic = rd_kafka_topic_new(handle, producer->config->topic, NULL);
    atomic_store_explicit(&producer->handle, handle, memory_order_release);
    rd_kafka_queue_cb_event_enable(producer->queue, on_ready, producer);
    /* What was queued before fires nothing. */
    uv_async_send(&producer->wake);
    return 0;
}

int producer_connect(struct producer *producer, struct error *err)
{
    int rc = 0;
    pthread_mutex_lock(&producer->connect_mutex);
    if (atomic_load_explicit(&producer->handle, memory_order_relaxed) == NULL)
        rc = producer_make_handle(producer, err);
    pthread_mutex_unlock(&producer->connect_mutex);
    return rc;
}

/* --- figures --- */

size_t producer_outstanding(const struct producer *producer)
{
    return atomic_load_explicit(&producer->outstanding, memory_order_relaxed);
}

struct producer_counts producer_counts(const struct producer *producer)
{
    return (struct producer_counts){
        .published = atomic_load_explicit(&producer->published, memory_order_relaxed),
        .acknowledged = atomic_load_explicit(&producer->acknowledged, memory_order_relaxed),
        .refused = atomic_load_explicit(&producer->refused, memory_order_relaxed),
    };
}

const struct statistics *producer_statistics(const struct producer *producer)
{
    return &producer->statistics;
}

/* --- the end --- */

void producer_purge_handle(struct producer *producer)
{
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                               RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void producer_purge(struct producer *producer)
{
    ASSERT_ON(THREAD_MAIN);
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    size_t outstanding = producer_outstanding(producer);
    if ((handle == NULL && !producer->is_remaking) || outstanding == 0)
        return;
    log_warn("%s: %zu record%s not acknowledged, given up", producer->who, outstanding,
             outstanding == 1 ? "" : "s");
    producer->is_purged = true;
    if (!producer->is_remaking)
        producer_purge_handle(producer);
}

static void producer_free(struct producer *producer)
{
    pthread_cond_destroy(&producer->room_condition);
    pthread_mutex_destroy(&producer->room_mutex);
    pthread_mutex_destroy(&producer->topics_mutex);
    pthread_mutex_destroy(&producer->connect_mutex);
    pthread_rwlock_destroy(&producer->handle_lock);
    free(producer->who);
    free(producer);
}

/* --- who may publish by it --- */

void producer_hold(struct producer *producer)
{
    atomic_fetch_add(&producer->holders, 1);
}

/* Its owner is one of them, until it is closed. */
bool producer_is_held(const struct producer *producer)
{
    return atomic_load(&producer->holders) > 1;
}

void producer_let_go(struct producer *producer)
{
    if (atomic_fetch_sub(&producer->holders, 1) == 1)
        producer_free(producer);
}

void producer_destroy_handle(struct producer *producer)
{
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    if (handle == NULL)
        return;
    producer_topics_destroy(producer);
    if (producer->topic != NULL)
        rd_kafka_topic_destroy(producer->topic);
    producer->topic = NULL;
    atomic_store_explicit(&producer->handle, NULL, memory_order_release);
    if (producer->queue != NULL)
        rd_kafka_queue_destroy(producer->queue);
    producer->queue = NULL;
    rd_kafka_destroy(handle);
}

static void destroy_handle(uv_work_t *work)
{
    producer_destroy_handle(CONTAINER_OF(work, struct producer, destroy));
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    struct producer *producer = CONTAINER_OF(work, struct producer, destroy);
    void (*on_closed)(void *) = producer->on_closed;
    void *context = producer->closed_context;
    producer_let_go(producer);
    on_closed(context);
}

static void on_wake_closed(uv_handle_t *wake)
{
    struct producer *producer = CONTAINER_OF(wake, struct producer, wake);
    int rc = uv_queue_work(wake->loop, &producer->destroy, destroy_handle, on_destroyed);
    assert(rc == 0);
    (void)rc;
}

void producer_close_when_settled(struct producer *producer)
{
    if (!producer->is_closing || producer_outstanding(producer) > 0 || producer->rebuild != NULL ||
        uv_is_closing((uv_handle_t *)&producer->wake))
        return;
    if (atomic_load_explicit(&producer->handle, memory_order_acquire) != NULL) {
        /* When this returns no wake-up is under way, so the handle for it may go. */
        rd_kafka_queue_cb_event_enable(producer->queue, NULL, NULL);
    }
    statistics_destroy(&producer->statistics);
    uv_close((uv_handle_t *)&producer->wake, on_wake_closed);
}

void producer_close(struct producer **owned, void (*on_closed)(void *context), void *context)
{
    ASSERT_ON(THREAD_MAIN);
    struct producer *producer = *owned;
    *owned = NULL;
    producer->is_closing = true;
    producer->on_closed = on_closed;
    producer->closed_context = context;
    /* Who still waits is gone or going; this frees what names him. */
    producer_give_room(producer);
    producer_close_when_settled(producer);
}

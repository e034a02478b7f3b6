#include <stdio.h>

#include "log.h"
#include "producer_internal.h"
#include "thread.h"

/* Reports that main takes in one turn of its loop before it looks at other things. */
enum { REPORTS_PER_TURN = 5000, REASON_BYTES = 512 };

static void say_lost(rd_kafka_t *handle, char reason[REASON_BYTES])
{
    char detail[REASON_BYTES] = "";
    rd_kafka_fatal_error(handle, detail, sizeof detail);
    struct error cause;
    cluster_explain_fatal(detail, &cause);
    snprintf(reason, REASON_BYTES, "given up because the producer is lost: %.400s", cause.text);
}

static const char *say_reason(const struct producer *producer, const rd_kafka_message_t *message,
                              char reason[REASON_BYTES])
{
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    const char *topic = rd_kafka_topic_name(message->rkt);
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return NULL;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        if (!producer->is_purged && producer_lacks_right(handle))
            say_lost(handle, reason);
        else
            snprintf(reason, REASON_BYTES, "given up because the process stops");
        break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        snprintf(reason, REASON_BYTES, "topic \"%s\" does not exist", topic);
        break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        snprintf(reason, REASON_BYTES, "topic \"%s\" has no partition %d", topic,
                 (int)message->partition);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        snprintf(reason, REASON_BYTES, "no right to write to topic \"%s\"", topic);
        break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        snprintf(reason, REASON_BYTES, "larger than max.message.bytes of topic \"%s\" allows",
                 topic);
        break;
    default:
        snprintf(reason, REASON_BYTES, "topic \"%s\": %s", topic, cluster_cause(message->err));
        break;
    }
    return reason;
}

/* What is told of a delivery. */
struct news {
    const char *topic;
    const char *key;
    size_t key_length;
    int32_t partition;
    int64_t offset;
    const char *reason;
};

static void report_loose(struct producer *producer, const struct delivery *delivery,
                         const struct news *news)
{
    const struct loose_report report = {
        .producer = producer->config->name,
        .tag = delivery->tag,
        .topic = news->topic,
        .key = news->key,
        .key_length = news->key_length,
        .partition = news->partition,
        .offset = news->offset,
        .reason = news->reason,
        .is_given_up = producer->is_purged,
    };
    if (producer->callbacks.on_loose_report != NULL)
        producer->callbacks.on_loose_report(producer->callbacks.context, &report);
}

static void tell(struct producer *producer, struct delivery *delivery, const struct news *news)
{
    struct record *record = delivery->record;
    atomic_fetch_add_explicit(news->reason == NULL ? &producer->acknowledged : &producer->refused,
                              1, memory_order_relaxed);
    /* First the owner, who may have to stop what would follow the record; then whoever waits, whose
     * handler goes on at once. */
    if (record != NULL)
        producer->callbacks.on_report(producer->callbacks.context, record, delivery->attempt,
                                      news->reason);
    else
        report_loose(producer, delivery, news);
    delivery_settle(delivery, news->partition, news->offset, news->reason);
    atomic_fetch_sub(&producer->outstanding, 1);
}

static void take_report(struct producer *producer, const rd_kafka_message_t *message)
{
    if (producer_salvage(producer, message))
        return;
    char buffer[REASON_BYTES];
    const struct news news = {
        .topic = rd_kafka_topic_name(message->rkt),
        .key = message->key,
        .key_length = message->key_len,
        .partition = message->partition,
        .offset = message->offset,
        .reason = say_reason(producer, message, buffer),
    };
    tell(producer, message->_private, &news);
}

void producer_settle_report(struct producer *producer, struct delivery *delivery, const char *topic,
                            const char *reason)
{
    const struct news news = {
        .topic = topic, .partition = delivery->wanted_partition, .offset = -1, .reason = reason};
    tell(producer, delivery, &news);
}

/* How many reports were in the event. *is_fatal becomes true, and err says why, when the handle is
 * lost. */
static size_t take_event(struct producer *producer, rd_kafka_event_t *event, bool *is_fatal,
                         struct error *err)
{
    size_t count = 0;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
        const rd_kafka_message_t *message;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            take_report(producer, message);
            count++;
        }
    } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_STATS) {
        statistics_take(&producer->statistics, rd_kafka_event_stats(event));
    } else if (cluster_log_event(event, producer->who, err)) {
        *is_fatal = true;
    }
    rd_kafka_event_destroy(event);
    return count;
}

void producer_on_wake(uv_async_t *wake)
{
    ASSERT_ON(THREAD_MAIN);
    struct producer *producer = CONTAINER_OF(wake, struct producer, wake);
    rd_kafka_event_t *event = NULL;
    struct error err;
    bool is_fatal = false;
    size_t reports = 0;
    if (producer->is_remaking)
        return;
    if (atomic_load_explicit(&producer->handle, memory_order_acquire) != NULL) {
        while (reports < REPORTS_PER_TURN &&
               (event = rd_kafka_queue_poll(producer->queue, 0)) != NULL)
            reports += take_event(producer, event, &is_fatal, &err);
    }
    /* A queue that is not emptied never wakes again. */
    if (reports >= REPORTS_PER_TURN)
        uv_async_send(wake);
    bool is_hopeless = is_fatal && producer_lacks_right(atomic_load_explicit(&producer->handle,
                                                                             memory_order_acquire));
    if (is_fatal && !is_hopeless)
        producer_begin_rebuild(producer, err.text);
    /* Until the handle is made anew there is no room. */
    if (producer->rebuild != NULL)
        producer_rebuild_when_settled(producer);
    else if (reports > 0 || atomic_load(&producer->outstanding) == 0)
        producer_give_room(producer);
    const struct producer_callbacks callbacks = producer->callbacks;
    const char *name = producer->config->name;
    producer_close_when_settled(producer);
    /* Last, and of what outlives the producer: the owner may close it at once. */
    if (is_hopeless)
        callbacks.on_fatal(callbacks.context, name, err.text);
}

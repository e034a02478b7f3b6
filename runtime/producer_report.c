#include <stdio.h>

#include "log.h"
#include "producer_internal.h"
#include "thread.h"

/* Reports that main takes in one turn of its loop before it looks at other things. */
enum { REPORTS_PER_TURN = 5000, REASON_BYTES = 512 };

static void say_lost(const struct producer *producer, char reason[REASON_BYTES])
{
    rd_kafka_t *handle = atomic_load_explicit(&producer->handle, memory_order_acquire);
    char detail[REASON_BYTES] = "";
    rd_kafka_fatal_error(handle, detail, sizeof detail);
    struct error cause;
    cluster_explain_fatal(detail, &cause);
    snprintf(reason, REASON_BYTES, "given up because the producer is lost: %.400s", cause.text);
}

static const char *say_reason(const struct producer *producer, const rd_kafka_message_t *message,
                              char reason[REASON_BYTES])
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return NULL;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        if (producer->is_purged)
            snprintf(reason, REASON_BYTES, "given up because the process stops");
        else
            say_lost(producer, reason);
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
        snprintf(reason, REASON_BYTES, "topic \"%s\": %s", topic, rd_kafka_err2str(message->err));
        break;
    }
    return reason;
}

static void report_loose(struct producer *producer, const rd_kafka_message_t *message,
                         const struct delivery *delivery, const char *reason)
{
    const struct loose_report report = {
        .producer = producer->config->name,
        .tag = delivery->tag,
        .topic = rd_kafka_topic_name(message->rkt),
        .key = message->key,
        .key_length = message->key_len,
        .partition = message->partition,
        .offset = message->offset,
        .reason = reason,
        .is_given_up = producer->is_purged,
    };
    if (producer->callbacks.on_loose_report != NULL)
        producer->callbacks.on_loose_report(producer->callbacks.context, &report);
}

static void take_report(struct producer *producer, const rd_kafka_message_t *message)
{
    struct delivery *delivery = message->_private;
    struct record *record = delivery->record;
    int attempt = delivery->attempt;
    char buffer[REASON_BYTES];
    const char *reason = say_reason(producer, message, buffer);
    atomic_fetch_add_explicit(reason == NULL ? &producer->acknowledged : &producer->refused, 1,
                              memory_order_relaxed);
    /* First the owner, who may have to stop what would follow the record; then whoever waits, whose
     * handler goes on at once. */
    if (record != NULL)
        producer->callbacks.on_report(producer->callbacks.context, record, attempt, reason);
    else
        report_loose(producer, message, delivery, reason);
    delivery_settle(delivery, message->partition, message->offset, reason);
    atomic_fetch_sub(&producer->outstanding, 1);
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
    const struct producer_callbacks callbacks = producer->callbacks;
    const char *name = producer->config->name;
    rd_kafka_event_t *event = NULL;
    struct error err;
    bool is_fatal = false;
    size_t reports = 0;
    if (atomic_load_explicit(&producer->handle, memory_order_acquire) != NULL) {
        while (reports < REPORTS_PER_TURN &&
               (event = rd_kafka_queue_poll(producer->queue, 0)) != NULL)
            reports += take_event(producer, event, &is_fatal, &err);
    }
    /* A queue that is not emptied never wakes again. */
    if (reports >= REPORTS_PER_TURN)
        uv_async_send(wake);
    if (reports > 0 || atomic_load(&producer->outstanding) == 0)
        producer_give_room(producer);
    producer_close_when_settled(producer);
    /* Last, and of what outlives the producer: the owner may close it at once. */
    if (is_fatal)
        callbacks.on_fatal(callbacks.context, name, err.text);
}

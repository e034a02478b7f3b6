#include "consumer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumer_private.h"
#include "consumer_start.h"
#include "log.h"
#include "thread.h"

enum {
    TICK_MS = 5,
    READS_A_TURN = 2048, /* then the loop's others have their turn */
    EVENTS_A_TURN = 256,
    RESUBSCRIBE_MS = 2000,
    MAX_WARNED_TYPES = 100,
};

/* --- partitions --- */

struct partition *consumer_partition(struct consumer *consumer, const char *topic, int32_t number)
{
    for (struct link *link = consumer->partitions.next; link != &consumer->partitions;
         link = link->next) {
        struct partition *partition = CONTAINER_OF(link, struct partition, link);
        if (partition->number == number && strcmp(partition->lane->topic, topic) == 0)
            return partition;
    }
    consumer->partition_count++;
    return partition_new(consumer, topic, number);
}

void consumer_warn_unknown_type(struct consumer *consumer, const struct record *record)
{
    const char *type = record->failure;
    for (size_t i = 0; i < consumer->warned_count; i++)
        if (strcmp(consumer->warned_types[i], type) == 0)
            return;
    if (consumer->warned_count == MAX_WARNED_TYPES)
        return;
    consumer->warned_types = xrealloc(consumer->warned_types, (consumer->warned_count + 1) *
                                                                  sizeof consumer->warned_types[0]);
    consumer->warned_types[consumer->warned_count++] = xstrdup(type);
    char name[RECORD_NAME_BYTES];
    log_warn("consumer %s: no handler for type '%s', first at %s: such records are skipped and "
             "counted (said once for each type)",
             consumer->config->name, type, record_name(record, name));
}

/* --- events --- */

static void on_error_event(struct consumer *consumer, rd_kafka_event_t *event)
{
    char who[256];
    struct error err;
    snprintf(who, sizeof who, "consumer %s", consumer->config->name);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    bool is_missing_topic =
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    /* Librdkafka looks again after minutes; a new subscribe makes it look at once. */
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR && is_missing_topic &&
        consumer->state == CONSUMER_RUNNING)
        uv_timer_start(&consumer->resubscriber, consumer_on_resubscribe, RESUBSCRIBE_MS, 0);
    if (cluster_log_event(event, who, &err) && consumer->state == CONSUMER_RUNNING)
        consumer->options.callbacks.on_fatal(consumer->options.callbacks.context, consumer, &err);
    rd_kafka_event_destroy(event);
}

static void serve_event(struct consumer *consumer, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
        rebalance_on_event(consumer, event);
        return;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        commit_on_event(consumer, event);
        rd_kafka_event_destroy(event);
        return;
    case RD_KAFKA_EVENT_LOG:
    case RD_KAFKA_EVENT_ERROR:
        on_error_event(consumer, event);
        return;
    default:
        rd_kafka_event_destroy(event);
    }
}

/* Returns whether some may be left. */
static bool serve_events(struct consumer *consumer)
{
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(consumer->queue, 0);
        if (event == NULL)
            return false;
        serve_event(consumer, event);
    }
    return true;
}

/* --- a turn --- */

static void collect(struct consumer *consumer)
{
    struct link ended;
    dispatcher_collect(&consumer->dispatcher, &ended);
    for (struct link *link; (link = list_pop(&ended)) != NULL;)
        partition_end_record(CONTAINER_OF(link, struct record, queue_link));
}

static void count_active(struct consumer *consumer)
{
    consumer->active_partitions = 0;
    for (struct link *link = consumer->partitions.next; link != &consumer->partitions;
         link = link->next) {
        struct partition *partition = CONTAINER_OF(link, struct partition, link);
        bool has_work = partition->unsettled > 0 || atomic_load(&partition->is_ready);
        if (partition->epoch != 0 && !partition->is_stopped && has_work)
            consumer->active_partitions++;
    }
}

/* Reads of every partition that has something, in turn, a batch at a time; each turn begins with
 * another. Returns whether there is more to read now. */
static bool read_partitions(struct consumer *consumer)
{
    size_t budget = READS_A_TURN;
    bool has_more = false;
    count_active(consumer);
    struct link *first = &consumer->partitions;
    for (size_t i = 0; i <= consumer->next_read; i++)
        first = first->next;
    struct link *link = first;
    do {
        if (link != &consumer->partitions) {
            struct partition *partition = CONTAINER_OF(link, struct partition, link);
            while (budget > 0 && partition_may_read(partition)) {
                size_t count = partition_read(partition, budget);
                budget -= count;
                if (count == 0)
                    break;
            }
            has_more = has_more || partition_may_read(partition);
        }
        link = link->next;
    } while (link != first);
    if (++consumer->next_read >= consumer->partition_count)
        consumer->next_read = 0;
    return has_more;
}

/* The window is full: main is woken when half of it has ended. */
static void set_need(struct consumer *consumer)
{
    if (consumer->rebalance.phase == REBALANCE_DRAINING || consumer->state != CONSUMER_RUNNING)
        dispatcher_set_need(&consumer->dispatcher, NEED_EVERY, 0);
    else
        dispatcher_set_need(&consumer->dispatcher, NEED_ROOM, consumer->unsettled / 2 + 1);
}

static void arm_ticker(struct consumer *consumer)
{
    bool is_busy = dispatcher_is_busy(&consumer->dispatcher);
    if (is_busy && !uv_is_active((uv_handle_t *)&consumer->ticker))
        uv_timer_start(&consumer->ticker, consumer_on_tick, TICK_MS, TICK_MS);
    else if (!is_busy)
        uv_timer_stop(&consumer->ticker);
}

void consumer_turn(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    if (consumer->handle == NULL || consumer->state >= CONSUMER_DESTROYING)
        return;
    collect(consumer);
    bool has_more = serve_events(consumer);
    rebalance_step(consumer);
    if (consumer->state == CONSUMER_RUNNING)
        has_more = read_partitions(consumer) || has_more;
    else
        consumer_step_stop(consumer);
    if (consumer->state >= CONSUMER_DESTROYING)
        return;
    set_need(consumer);
    arm_ticker(consumer);
    if (has_more)
        uv_async_send(&consumer->wake);
}

/* --- callbacks of the loop --- */

void consumer_on_wake(uv_async_t *wake)
{
    consumer_turn(CONTAINER_OF(wake, struct consumer, wake));
}

void consumer_on_poll(uv_timer_t *timer)
{
    consumer_turn(CONTAINER_OF(timer, struct consumer, poller));
}

void consumer_on_tick(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, ticker);
    dispatcher_tick(&consumer->dispatcher);
    consumer_turn(consumer);
}

void consumer_on_commit(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, commits);
    if (consumer->state == CONSUMER_RUNNING)
        commit_start(consumer);
}

void consumer_on_resubscribe(uv_timer_t *timer)
{
    struct consumer *consumer = CONTAINER_OF(timer, struct consumer, resubscriber);
    if (consumer->state == CONSUMER_RUNNING)
        consumer_subscribe(consumer);
}

void consumer_on_report(struct record *record, int attempt, const char *reason)
{
    /* The record may be freed by its last report. */
    struct consumer *consumer = record->owner->consumer;
    partition_report(record, attempt, reason);
    if (consumer->state < CONSUMER_DESTROYING)
        uv_async_send(&consumer->wake);
}

const struct consumer_config *consumer_config_of(const struct consumer *consumer)
{
    return consumer->config;
}

struct consumer_counts consumer_counts(const struct consumer *consumer)
{
    return consumer->counts;
}

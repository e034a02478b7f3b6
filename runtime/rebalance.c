/* Assignments and revokes of a consumer: asynchronous, eager and cooperative by one path.
 *
 * An event is kept until it can be answered; the loop goes on turning meanwhile, so the member is
 * not evicted. Events are answered one at a time, in order. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer_private.h"
#include "error.h"
#include "log.h"
#include "start_offsets.h"
#include "thread.h"

enum {
    RESOLVE_TIMEOUT_MS = 5000,
    RETRY_MS = 500,
    COMMIT_TIMEOUT_MS = 5000,
};

/* What a helper finds out for an assignment. */
struct resolving {
    uv_work_t work;
    struct consumer *consumer;
    rd_kafka_topic_partition_list_t *list; /* a copy: the event's may not be written */
    struct partition_start *starts;
    struct error err;
    int rc;
};

/* --- words --- */

static int compare_places(const void *a, const void *b, void *context)
{
    (void)context;
    const rd_kafka_topic_partition_t *one = a, *other = b;
    int order = strcmp(one->topic, other->topic);
    return order != 0 ? order : one->partition - other->partition;
}

/* "orders[0-9] payments[1,3]", for the log. */
static void describe_list(const rd_kafka_topic_partition_list_t *list, struct buffer *text)
{
    rd_kafka_topic_partition_list_t *sorted = rd_kafka_topic_partition_list_copy(list);
    rd_kafka_topic_partition_list_sort(sorted, compare_places, NULL);
    for (int i = 0; i < sorted->cnt;) {
        const rd_kafka_topic_partition_t *first = &sorted->elems[i];
        bool is_same_topic = i > 0 && strcmp(first[-1].topic, first->topic) == 0;
        if (is_same_topic)
            buffer_append_text(text, ",");
        else
            buffer_format(text, "%s%s[", i > 0 ? "] " : "", first->topic);
        int length = 1;
        while (i + length < sorted->cnt && strcmp(first[length].topic, first->topic) == 0 &&
               first[length].partition == first->partition + length)
            length++;
        if (length > 1)
            buffer_format(text, "%d-%d", first->partition, first->partition + length - 1);
        else
            buffer_format(text, "%d", first->partition);
        i += length;
    }
    buffer_append(text, sorted->cnt > 0 ? "]" : "none", sorted->cnt > 0 ? 2 : 5);
    rd_kafka_topic_partition_list_destroy(sorted);
}

static void log_list(const struct consumer *consumer, const char *what,
                     const rd_kafka_topic_partition_list_t *list)
{
    struct buffer text;
    buffer_init(&text);
    describe_list(list, &text);
    log_info("consumer %s: %s %s", consumer->config->name, what, text.bytes);
    buffer_destroy(&text);
}

/* --- the partitions of the event --- */

static rd_kafka_topic_partition_list_t *event_list(const struct consumer *consumer)
{
    return rd_kafka_event_topic_partition_list(consumer->rebalance.event);
}

static struct partition *partition_at(struct consumer *consumer, int index)
{
    const rd_kafka_topic_partition_t *place = &event_list(consumer)->elems[index];
    return consumer_partition(consumer, place->topic, place->partition);
}

/* The answer is given: the next event may come. */
static void end_event(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    rd_kafka_event_destroy(rebalance->event);
    rebalance->event = NULL;
    rebalance->phase = REBALANCE_IDLE;
}

static void log_refusal(const struct consumer *consumer, rd_kafka_error_t *error)
{
    if (error == NULL)
        return;
    log_warn("consumer %s: the answer to a rebalance was refused: %s", consumer->config->name,
             rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

/* Eager and cooperative differ in the call alone. NULL revokes everything. */
static void answer(struct consumer *consumer, rd_kafka_resp_err_t kind,
                   const rd_kafka_topic_partition_list_t *list)
{
    bool is_assign = kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (strcmp(rd_kafka_rebalance_protocol(consumer->handle), "COOPERATIVE") == 0) {
        log_refusal(consumer, is_assign ? rd_kafka_incremental_assign(consumer->handle, list)
                                        : rd_kafka_incremental_unassign(consumer->handle, list));
        return;
    }
    rd_kafka_resp_err_t rc = rd_kafka_assign(consumer->handle, is_assign ? list : NULL);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_warn("consumer %s: the answer to a rebalance was refused: %s", consumer->config->name,
                 rd_kafka_err2str(rc));
}

/* --- assign --- */

static void resolve(uv_work_t *work)
{
    struct resolving *resolving = CONTAINER_OF(work, struct resolving, work);
    struct consumer *consumer = resolving->consumer;
    resolving->rc = start_offsets_resolve(consumer->handle, consumer->options.query, resolving->list,
                                          consumer->config->offset_reset, RESOLVE_TIMEOUT_MS,
                                          resolving->starts, &resolving->err);
}

static void resolving_free(struct resolving *resolving)
{
    rd_kafka_topic_partition_list_destroy(resolving->list);
    free(resolving->starts);
    free(resolving);
}

static void stop_for_missing_start(struct consumer *consumer, const struct partition *partition)
{
    log_error("consumer %s: %s[%d] is stopped: the group has no committed offset there and "
              "offset_reset is \"none\"",
              consumer->config->name, partition->lane->topic, partition->number);
}

/* Every partition begins at an explicit offset; a start that was resolved here is committed at once
 * and gates its partition, or `latest` and a crash would lose what came between. */
static void begin_assigned(struct consumer *consumer, const struct resolving *resolving)
{
    for (int i = 0; i < resolving->list->cnt; i++) {
        struct partition *partition = partition_at(consumer, i);
        if (partition->epoch != 0)
            partition_drop(partition);
        partition_assign(partition, &resolving->starts[i]);
        if (resolving->starts[i].is_missing)
            stop_for_missing_start(consumer, partition);
    }
    log_list(consumer, "assigned", resolving->list);
    answer(consumer, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, resolving->list);
    end_event(consumer);
    commit_start(consumer);
}

static void on_resolved(uv_work_t *work, int status)
{
    (void)status;
    struct resolving *resolving = CONTAINER_OF(work, struct resolving, work);
    struct consumer *consumer = resolving->consumer;
    struct rebalance *rebalance = &consumer->rebalance;
    assert(rebalance->phase == REBALANCE_RESOLVING);
    if (resolving->rc == 0) {
        begin_assigned(consumer, resolving);
    } else if (consumer->state != CONSUMER_RUNNING) {
        rd_kafka_assign(consumer->handle, NULL);
        end_event(consumer);
    } else {
        log_warn("consumer %s: %s; will try again", consumer->config->name, resolving->err.text);
        rebalance->phase = REBALANCE_WAITING;
        rebalance->deadline_ms = clock_monotonic_ms() + RETRY_MS;
    }
    resolving_free(resolving);
    consumer_turn(consumer);
}

static void begin_resolving(struct consumer *consumer)
{
    struct resolving *resolving = xcalloc(1, sizeof *resolving);
    resolving->consumer = consumer;
    resolving->list = rd_kafka_topic_partition_list_copy(event_list(consumer));
    resolving->starts = xcalloc((size_t)resolving->list->cnt, sizeof resolving->starts[0]);
    consumer->rebalance.phase = REBALANCE_RESOLVING;
    uv_queue_work(consumer->options.loop, &resolving->work, resolve, on_resolved);
}

static void begin_assign(struct consumer *consumer)
{
    consumer->rebalance.has_seen_assign = true;
    if (consumer->state == CONSUMER_CLOSING) {
        /* Answering now can hang the close. */
        end_event(consumer);
    } else if (event_list(consumer)->cnt == 0) {
        answer(consumer, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, event_list(consumer));
        end_event(consumer);
    } else {
        begin_resolving(consumer);
    }
}

/* --- revoke --- */

static void begin_revoke(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    int64_t now_ms = clock_monotonic_ms();
    rebalance->is_lost = rd_kafka_assignment_lost(consumer->handle) != 0;
    rebalance->has_committed = false;
    rebalance->phase = REBALANCE_DRAINING;
    rebalance->end_ms = now_ms + consumer->max_poll_ms * 3 / 4;
    int64_t drain_ms = consumer->config->drain_timeout_ms;
    if (drain_ms > consumer->max_poll_ms / 2)
        drain_ms = consumer->max_poll_ms / 2;
    rebalance->deadline_ms = now_ms + drain_ms;
    for (int i = 0; i < event_list(consumer)->cnt; i++) {
        struct partition *partition = partition_at(consumer, i);
        if (partition->epoch != 0)
            partition_revoke(partition);
    }
    log_list(consumer, rebalance->is_lost ? "lost" : "gives back", event_list(consumer));
    dispatcher_set_need(&consumer->dispatcher, NEED_EVERY, 0);
}

/* A stop's limit is its own; a lost assignment waits for nothing, its handlers run on and never
 * commit. */
static bool is_drained(struct consumer *consumer)
{
    const struct rebalance *rebalance = &consumer->rebalance;
    int64_t deadline_ms = consumer->state == CONSUMER_RUNNING ? rebalance->deadline_ms
                                                              : consumer->handlers_deadline_ms;
    if (rebalance->is_lost || clock_monotonic_ms() >= deadline_ms)
        return true;
    for (int i = 0; i < event_list(consumer)->cnt; i++) {
        const struct partition *partition = partition_at(consumer, i);
        if (partition->epoch != 0 && !partition_is_quiet(partition))
            return false;
    }
    return true;
}

static void warn_of_leftovers(struct consumer *consumer)
{
    for (int i = 0; i < event_list(consumer)->cnt; i++) {
        const struct partition *partition = partition_at(consumer, i);
        if (partition->epoch == 0 || partition_is_quiet(partition))
            continue;
        log_warn("consumer %s: %s[%d] is given back while %zu handlers still run and %zu records "
                 "wait for acknowledgements; they will not be committed",
                 consumer->config->name, partition->lane->topic, partition->number,
                 dispatcher_running(&consumer->dispatcher, partition->lane),
                 partition->awaited_count);
    }
}

static void begin_last_commit(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    warn_of_leftovers(consumer);
    rebalance->phase = REBALANCE_COMMITTING;
    rebalance->deadline_ms = clock_monotonic_ms() + COMMIT_TIMEOUT_MS;
    int64_t end_ms =
        consumer->state == CONSUMER_RUNNING ? rebalance->end_ms : consumer->deadline_ms;
    if (rebalance->deadline_ms > end_ms)
        rebalance->deadline_ms = end_ms;
}

/* Waits for the commit in flight, sends one more, and waits for that; then goes on in any case. */
static bool is_last_commit_over(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    if (rebalance->is_lost)
        return true;
    if (!consumer->commit.is_in_flight && !rebalance->has_committed) {
        rebalance->has_committed = true;
        commit_start(consumer);
    }
    if (!consumer->commit.is_in_flight)
        return true;
    if (clock_monotonic_ms() < rebalance->deadline_ms)
        return false;
    log_warn("consumer %s: the last commit got no answer in time; records may be handled again",
             consumer->config->name);
    return true;
}

static void end_revoke(struct consumer *consumer)
{
    for (int i = 0; i < event_list(consumer)->cnt; i++) {
        struct partition *partition = partition_at(consumer, i);
        if (partition->epoch != 0)
            partition_drop(partition);
    }
    answer(consumer, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, event_list(consumer));
    end_event(consumer);
    dispatcher_set_need(&consumer->dispatcher, NEED_NOTHING, 0);
}

/* --- steps --- */

static void begin_event(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    rebalance->event = rebalance->waiting[0];
    rebalance->waiting_count--;
    memmove(rebalance->waiting, rebalance->waiting + 1,
            rebalance->waiting_count * sizeof rebalance->waiting[0]);
    rd_kafka_resp_err_t kind = rd_kafka_event_error(rebalance->event);
    if (kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        begin_assign(consumer);
    } else if (kind == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        begin_revoke(consumer);
    } else {
        log_warn("consumer %s: rebalance: %s", consumer->config->name, rd_kafka_err2str(kind));
        rd_kafka_assign(consumer->handle, NULL);
        end_event(consumer);
    }
}

/* One step; false when there is nothing to do now. */
static bool step(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    switch (rebalance->phase) {
    case REBALANCE_IDLE:
        if (rebalance->waiting_count == 0)
            return false;
        begin_event(consumer);
        return true;
    case REBALANCE_RESOLVING:
        return false;
    case REBALANCE_WAITING:
        if (clock_monotonic_ms() < rebalance->deadline_ms)
            return false;
        begin_resolving(consumer);
        return true;
    case REBALANCE_DRAINING:
        if (!is_drained(consumer))
            return false;
        begin_last_commit(consumer);
        return true;
    case REBALANCE_COMMITTING:
        if (!is_last_commit_over(consumer))
            return false;
        end_revoke(consumer);
        return true;
    }
    return false;
}

void rebalance_step(struct consumer *consumer)
{
    ASSERT_ON(THREAD_MAIN);
    while (step(consumer))
        continue;
}

void rebalance_on_event(struct consumer *consumer, rd_kafka_event_t *event)
{
    struct rebalance *rebalance = &consumer->rebalance;
    rebalance->waiting =
        xrealloc(rebalance->waiting, (rebalance->waiting_count + 1) * sizeof rebalance->waiting[0]);
    rebalance->waiting[rebalance->waiting_count++] = event;
}

void rebalance_destroy(struct consumer *consumer)
{
    struct rebalance *rebalance = &consumer->rebalance;
    if (rebalance->event != NULL)
        rd_kafka_event_destroy(rebalance->event);
    for (size_t i = 0; i < rebalance->waiting_count; i++)
        rd_kafka_event_destroy(rebalance->waiting[i]);
    free(rebalance->waiting);
    *rebalance = (struct rebalance){0};
}

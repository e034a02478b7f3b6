#include "partition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consumer_private.h"
#include "log.h"
#include "thread.h"

/* Messages asked of librdkafka at once. */
enum { BATCH_COUNT = 256 };

struct partition *partition_new(struct consumer *consumer, const char *topic, int32_t number)
{
    struct partition *partition = xcalloc(1, sizeof *partition);
    partition->consumer = consumer;
    partition->number = number;
    partition->lane = dispatcher_lane(&consumer->dispatcher, topic, number);
    atomic_init(&partition->is_ready, false);
    list_init(&partition->awaited);
    list_init(&partition->stuck);
    list_append(&consumer->partitions, &partition->link);
    return partition;
}

void partition_free(struct partition **partition)
{
    assert((*partition)->epoch == 0);
    list_remove(&(*partition)->link);
    free(*partition);
    *partition = NULL;
}

/* --- assignments --- */

/* On one of librdkafka's threads, under the queue's lock: only a wake-up. */
static void on_messages(rd_kafka_t *handle, void *context)
{
    (void)handle;
    struct partition *partition = context;
    atomic_store(&partition->is_ready, true);
    uv_async_send(&partition->consumer->wake);
}

void partition_assign(struct partition *partition, const struct partition_start *start)
{
    ASSERT_ON(THREAD_MAIN);
    struct consumer *consumer = partition->consumer;
    assert(partition->epoch == 0);
    partition->epoch = ++consumer->last_epoch;
    partition->is_revoking = false;
    partition->is_stopped = start->is_missing;
    partition->is_gated = !start->is_committed && !start->is_missing;
    partition->has_seen_error = false;
    offsets_init(&partition->offsets, start->offset,
                 start->is_committed || start->is_missing ? start->offset : -1);
    dispatcher_assign(&consumer->dispatcher, partition->lane, partition->epoch);

    partition->queue =
        rd_kafka_queue_get_partition(consumer->handle, partition->lane->topic, partition->number);
    rd_kafka_queue_forward(partition->queue, NULL);
    rd_kafka_queue_cb_event_enable(partition->queue, on_messages, partition);
    /* It fires for what comes, not for what is there. */
    atomic_store(&partition->is_ready, true);
}

/* --- the window --- */

static void count_in(struct partition *partition, const struct record *record)
{
    partition->unsettled++;
    partition->unsettled_bytes += record->block_bytes;
    partition->consumer->unsettled++;
    partition->consumer->unsettled_bytes += record->block_bytes;
}

static void count_out(struct partition *partition, const struct record *record)
{
    partition->unsettled--;
    partition->unsettled_bytes -= record->block_bytes;
    partition->consumer->unsettled--;
    partition->consumer->unsettled_bytes -= record->block_bytes;
}

/* The record is nobody's any more, except for the reports of its deliveries. */
static void discard(struct record *record)
{
    record->is_dropped = true;
    if (record->deliveries_open == 0)
        record_free(&record);
}

/* Out of the window without being settled: another reader gets it again. */
static void drop_record(struct partition *partition, struct record *record)
{
    if (record->epoch == partition->epoch)
        count_out(partition, record);
    partition->consumer->counts.dropped++;
    discard(record);
}

static void drop_list(struct partition *partition, struct link *records)
{
    for (struct link *link; (link = list_pop(records)) != NULL;)
        drop_record(partition, CONTAINER_OF(link, struct record, queue_link));
}

void partition_revoke(struct partition *partition)
{
    struct link unstarted;
    partition->is_revoking = true;
    dispatcher_revoke(&partition->consumer->dispatcher, partition->lane, &unstarted);
    drop_list(partition, &unstarted);
}

bool partition_is_quiet(const struct partition *partition)
{
    return partition->awaited_count == 0 &&
           dispatcher_running(&partition->consumer->dispatcher, partition->lane) == 0;
}

static void drop_awaited(struct partition *partition, struct link *records)
{
    for (struct link *link; (link = list_pop(records)) != NULL;)
        drop_record(partition, CONTAINER_OF(link, struct record, partition_link));
}

/* Everything of the epoch that main knows of is dropped; what runs is left over, and counts no
 * longer: its record will find another epoch here. */
static void end_epoch(struct partition *partition)
{
    struct consumer *consumer = partition->consumer;
    partition_revoke(partition);
    drop_awaited(partition, &partition->awaited);
    drop_awaited(partition, &partition->stuck);
    partition->awaited_count = 0;
    dispatcher_forget(&consumer->dispatcher, partition->lane);
    consumer->unsettled -= partition->unsettled;
    consumer->unsettled_bytes -= partition->unsettled_bytes;
    partition->unsettled = 0;
    partition->unsettled_bytes = 0;
    partition->epoch = 0;
    offsets_destroy(&partition->offsets);
}

void partition_drop(struct partition *partition)
{
    end_epoch(partition);
    rd_kafka_queue_cb_event_enable(partition->queue, NULL, NULL);
    rd_kafka_queue_destroy(partition->queue);
    partition->queue = NULL;
    atomic_store(&partition->is_ready, false);
}

/* --- reading --- */

/* How many more records this partition may have in the window. While others have work, one
 * partition has a quarter of it at most, so that a slow one cannot starve them. */
static size_t room(const struct partition *partition)
{
    const struct consumer *consumer = partition->consumer;
    size_t window = (size_t)consumer->config->window_records;
    size_t bytes = (size_t)consumer->config->window_bytes;
    if (consumer->active_partitions > 1) {
        size_t share = window / 4 > 0 ? window / 4 : 1;
        if (partition->unsettled >= share || partition->unsettled_bytes >= bytes / 4)
            return 0;
        if (share - partition->unsettled < window - consumer->unsettled)
            return share - partition->unsettled;
    }
    if (consumer->unsettled >= window || consumer->unsettled_bytes >= bytes)
        return 0;
    return window - consumer->unsettled;
}

/* The bytes of a batch are known only when it is here, so large records are read few at a time. */
static size_t batch_count(const struct partition *partition, size_t budget)
{
    size_t count = room(partition);
    const struct consumer *consumer = partition->consumer;
    if (count > budget)
        count = budget;
    if (count > BATCH_COUNT)
        count = BATCH_COUNT;
    size_t average =
        partition->unsettled > 0 ? partition->unsettled_bytes / partition->unsettled : 16 * 1024;
    size_t bytes = (size_t)consumer->config->window_bytes;
    size_t left = bytes > consumer->unsettled_bytes ? bytes - consumer->unsettled_bytes : 0;
    size_t fitting = left / average;
    if (count > fitting)
        count = fitting > 0 ? fitting : (count > 0);
    return count;
}

bool partition_may_read(struct partition *partition)
{
    return partition->epoch != 0 && !partition->is_revoking && !partition->is_stopped &&
           !partition->is_gated && atomic_load(&partition->is_ready) && room(partition) > 0 &&
           offsets_ahead(&partition->offsets) < (size_t)partition->consumer->config->max_ahead;
}

/* What was to be read next was removed by retention: librdkafka goes on at the earliest left. */
static void note_jump(struct partition *partition, int64_t offset)
{
    struct consumer *consumer = partition->consumer;
    int64_t low, high;
    if (rd_kafka_get_watermark_offsets(consumer->handle, partition->lane->topic, partition->number,
                                       &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        low <= partition->offsets.delivered)
        return;
    consumer->counts.jumps++;
    log_error("consumer %s: %s[%d]: offsets %" PRId64 " to %" PRId64
              " were removed by retention before they were read; goes on at %" PRId64,
              consumer->config->name, partition->lane->topic, partition->number,
              partition->offsets.delivered, offset - 1, offset);
}

/* The broker's log is shorter than what was read (an unclean election, a topic made anew): what
 * follows belongs to a new epoch, or its offsets would be taken for settled ones. */
static void restart_at(struct partition *partition, int64_t offset)
{
    struct consumer *consumer = partition->consumer;
    log_warn("consumer %s: %s[%d]: the broker's log went back from offset %" PRId64 " to %" PRId64
             "; it is read again from there",
             consumer->config->name, partition->lane->topic, partition->number,
             partition->offsets.delivered, offset);
    bool is_revoking = partition->is_revoking;
    end_epoch(partition);
    partition->epoch = ++consumer->last_epoch;
    partition->is_revoking = is_revoking;
    offsets_init(&partition->offsets, offset, -1);
    dispatcher_assign(&consumer->dispatcher, partition->lane, partition->epoch);
}

static struct record *take_in(struct partition *partition, const rd_kafka_message_t *message)
{
    struct record *record = record_new(message, partition->lane->topic);
    record->owner = partition;
    record->epoch = partition->epoch;
    record->slot = offsets_add(&partition->offsets, message->offset);
    count_in(partition, record);
    return record;
}

static void note_error(struct partition *partition, const rd_kafka_message_t *message)
{
    partition->has_seen_error = true;
    log_warn("consumer %s: %s[%d]: %s", partition->consumer->config->name, partition->lane->topic,
             partition->number, rd_kafka_message_errstr(message));
}

/* Turns messages into records; those of a new epoch that begins among them go by themselves. */
static void push(struct partition *partition, rd_kafka_message_t **messages, size_t count)
{
    struct consumer *consumer = partition->consumer;
    struct record *records[BATCH_COUNT];
    size_t accepted = 0;
    for (size_t i = 0; i < count; i++) {
        if (messages[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_error(partition, messages[i]);
            continue;
        }
        if (messages[i]->offset < partition->offsets.delivered) {
            dispatcher_push(&consumer->dispatcher, partition->lane, records, accepted);
            accepted = 0;
            restart_at(partition, messages[i]->offset);
        } else if (messages[i]->offset > partition->offsets.delivered) {
            note_jump(partition, messages[i]->offset);
        }
        records[accepted++] = take_in(partition, messages[i]);
        consumer->counts.received++;
    }
    dispatcher_push(&consumer->dispatcher, partition->lane, records, accepted);
}

size_t partition_read(struct partition *partition, size_t budget)
{
    size_t wanted = batch_count(partition, budget);
    if (wanted == 0)
        return 0;
    rd_kafka_message_t *messages[BATCH_COUNT];
    /* Cleared before the read: what comes during it sets it again. */
    atomic_store(&partition->is_ready, false);
    ssize_t count = rd_kafka_consume_batch_queue(partition->queue, 0, messages, wanted);
    if (count <= 0)
        return 0;
    push(partition, messages, (size_t)count);
    for (ssize_t i = 0; i < count; i++)
        rd_kafka_message_destroy(messages[i]);
    /* The queue tells only of what comes into an empty one. */
    if ((size_t)count == wanted)
        atomic_store(&partition->is_ready, true);
    return (size_t)count;
}

/* --- ends --- */

static void settle(struct record *record)
{
    struct partition *partition = record->owner;
    offsets_settle(&partition->offsets, record->slot);
    count_out(partition, record);
    discard(record);
}

/* The record is not settled and never will be in this epoch: nothing of its partition is committed
 * past it, nothing further is started or read. */
static void stop_at(struct record *record, const char *reason)
{
    struct partition *partition = record->owner;
    struct consumer *consumer = partition->consumer;
    partition->is_stopped = true;
    consumer->counts.failed++;
    dispatcher_hold(&consumer->dispatcher, partition->lane);
    const struct log_field fields[] = {
        log_text("topic", record->topic),        log_integer("partition", record->partition),
        log_integer("offset", record->offset),   log_bytes("key", record->key, record->key_length),
        log_integer("attempt", record->attempt), log_text("reason", reason),
    };
    log_event(LOG_ERROR, fields, ARRAY_LENGTH(fields),
              "consumer %s: a record failed; its partition is stopped and will not be committed "
              "past it, mend the cause and restart",
              consumer->config->name);
}

static void end_well(struct record *record)
{
    struct partition *partition = record->owner;
    if (record->is_refused) {
        list_append(&partition->stuck, &record->partition_link);
    } else if (record->reported == record->published) {
        settle(record);
    } else {
        list_append(&partition->awaited, &record->partition_link);
        partition->awaited_count++;
    }
}

/* The dispatcher keeps it as the head of its strand; a revoke gives it back. */
static void end_badly(struct record *record)
{
    stop_at(record, record->failure != NULL ? record->failure : "no reason given");
}

void partition_end_record(struct record *record)
{
    struct partition *partition = record->owner;
    struct consumer *consumer = partition->consumer;
    record->is_ended = true;
    record->deliveries_open += (int32_t)record->published;
    if (record->epoch != partition->epoch) {
        if (record->state == RECORD_KEPT)
            dispatcher_release(&consumer->dispatcher, record);
        drop_record(partition, record);
        return;
    }
    switch (record->outcome) {
    case OUTCOME_DONE:
        consumer->counts.handled++;
        end_well(record);
        return;
    case OUTCOME_SKIPPED:
        consumer->counts.skipped++;
        consumer_warn_unknown_type(consumer, record);
        end_well(record);
        return;
    case OUTCOME_INVALID:
    case OUTCOME_FAILED:
    case OUTCOME_NONE:
        end_badly(record);
        return;
    }
}

/* A delivery that was refused for good is as if the handler had failed, only that its strand may
 * have moved on already. */
static void refuse(struct record *record, const char *reason)
{
    struct partition *partition = record->owner;
    char text[512];
    snprintf(text, sizeof text, "a record that its handler published was refused: %s", reason);
    bool was_refused = record->is_refused;
    record->is_refused = true;
    bool has_failed = record->is_ended && record->state == RECORD_KEPT;
    if (record->epoch != partition->epoch || was_refused || has_failed)
        return;
    stop_at(record, text);
    if (record->is_ended && record->state == RECORD_OUTSIDE) {
        list_remove(&record->partition_link);
        partition->awaited_count--;
        list_append(&partition->stuck, &record->partition_link);
    }
}

void partition_report(struct record *record, int attempt, const char *reason)
{
    struct partition *partition = record->owner;
    record->deliveries_open--;
    if (record->is_dropped) {
        if (record->deliveries_open == 0)
            record_free(&record);
        return;
    }
    if (attempt != record->attempt)
        return;
    if (reason != NULL) {
        refuse(record, reason);
        return;
    }
    record->reported++;
    bool is_awaited = record->is_ended && record->outcome == OUTCOME_DONE && !record->is_refused;
    if (is_awaited && record->reported == record->published && record->epoch == partition->epoch) {
        list_remove(&record->partition_link);
        partition->awaited_count--;
        settle(record);
    }
}

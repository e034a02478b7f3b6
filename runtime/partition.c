#include "partition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "thread.h"

/* Messages asked of librdkafka at once. */
enum { BATCH_COUNT = 256 };

struct partition *partition_new(struct intake *intake, const char *topic, int32_t number)
{
    struct partition *partition = xcalloc(1, sizeof *partition);
    partition->intake = intake;
    partition->number = number;
    partition->lane = dispatcher_lane(intake->dispatcher, topic, number);
    atomic_init(&partition->is_ready, false);
    list_init(&partition->awaited);
    list_init(&partition->stuck);
    return partition;
}

void partition_free(struct partition **partition)
{
    assert((*partition)->epoch == 0);
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
    partition->intake->on_ready(partition->intake->context);
}

void partition_assign(struct partition *partition, const struct partition_start *start)
{
    ASSERT_ON(THREAD_MAIN);
    struct intake *intake = partition->intake;
    assert(partition->epoch == 0);
    partition->epoch = ++intake->last_epoch;
    partition->is_revoking = false;
    partition->is_stopped = start->is_missing;
    partition->is_gated = !start->is_committed && !start->is_missing;
    partition->has_seen_error = false;
    partition->gives_back = false;
    offsets_init(&partition->offsets, start->offset,
                 start->is_committed || start->is_missing ? start->offset : -1);
    dispatcher_assign(intake->dispatcher, partition->lane, partition->epoch);

    partition->queue =
        rd_kafka_queue_get_partition(intake->handle, partition->lane->topic, partition->number);
    rd_kafka_queue_forward(partition->queue, NULL);
    rd_kafka_queue_cb_event_enable(partition->queue, on_messages, partition);
    /* It fires for what comes, not for what is there. */
    atomic_store(&partition->is_ready, true);
}

/* --- giving back --- */

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
        intake_remove(partition->intake, &partition->share, record->block_bytes);
    partition->intake->counts.dropped++;
    discard(record);
}

static void drop_list(struct partition *partition, struct link *records)
{
    for (struct link *link; (link = list_pop(records)) != NULL;)
        drop_record(partition, CONTAINER_OF(link, struct record, queue_link));
}

static void give_back_unstarted(struct partition *partition)
{
    struct link unstarted;
    dispatcher_revoke(partition->intake->dispatcher, partition->lane, &unstarted);
    drop_list(partition, &unstarted);
}

void partition_give_back(struct partition *partition)
{
    if (partition->gives_back && partition->epoch != 0)
        give_back_unstarted(partition);
    partition->gives_back = false;
}

void partition_revoke(struct partition *partition)
{
    partition->is_revoking = true;
    give_back_unstarted(partition);
}

size_t partition_running(const struct partition *partition)
{
    return dispatcher_running(partition->intake->dispatcher, partition->lane);
}

bool partition_is_busy(const struct partition *partition)
{
    return partition->awaited_count > 0 || partition_running(partition) > 0;
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
    struct intake *intake = partition->intake;
    partition_revoke(partition);
    drop_awaited(partition, &partition->awaited);
    drop_awaited(partition, &partition->stuck);
    partition->awaited_count = 0;
    dispatcher_forget(intake->dispatcher, partition->lane);
    intake_remove_all(intake, &partition->share);
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

bool partition_is_active(struct partition *partition)
{
    bool has_work = partition->share.records > 0 || atomic_load(&partition->is_ready);
    return partition->epoch != 0 && !partition->is_stopped && has_work;
}

bool partition_may_read(struct partition *partition)
{
    return partition->epoch != 0 && !partition->is_revoking && !partition->is_stopped &&
           !partition->is_gated && atomic_load(&partition->is_ready) &&
           intake_room(partition->intake, &partition->share) > 0 &&
           offsets_ahead(&partition->offsets) < (size_t)partition->intake->config->max_ahead;
}

/* What was to be read next was removed by retention: librdkafka goes on at the earliest left. */
static void note_jump(struct partition *partition, int64_t offset)
{
    struct intake *intake = partition->intake;
    int64_t low, high;
    if (rd_kafka_get_watermark_offsets(intake->handle, partition->lane->topic, partition->number,
                                       &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        low <= partition->offsets.delivered)
        return;
    intake->counts.jumps++;
    log_error("consumer %s: %s[%d]: offsets %" PRId64 " to %" PRId64
              " were removed by retention before they were read; goes on at %" PRId64,
              intake->config->name, partition->lane->topic, partition->number,
              partition->offsets.delivered, offset - 1, offset);
}

/* The broker's log is shorter than what was read (an unclean election, a topic made anew): what
 * follows belongs to a new epoch, or its offsets would be taken for settled ones. */
static void restart_at(struct partition *partition, int64_t offset)
{
    struct intake *intake = partition->intake;
    log_warn("consumer %s: %s[%d]: the broker's log went back from offset %" PRId64 " to %" PRId64
             "; it is read again from there",
             intake->config->name, partition->lane->topic, partition->number,
             partition->offsets.delivered, offset);
    bool is_revoking = partition->is_revoking;
    end_epoch(partition);
    partition->epoch = ++intake->last_epoch;
    partition->is_revoking = is_revoking;
    offsets_init(&partition->offsets, offset, -1);
    dispatcher_assign(intake->dispatcher, partition->lane, partition->epoch);
}

static struct record *take_in(struct partition *partition, const rd_kafka_message_t *message)
{
    struct record *record = record_new(message, partition->lane->topic);
    record->owner = partition;
    record->epoch = partition->epoch;
    record->slot = offsets_add(&partition->offsets, message->offset);
    intake_add(partition->intake, &partition->share, record->block_bytes);
    return record;
}

static void note_error(struct partition *partition, const rd_kafka_message_t *message)
{
    partition->has_seen_error = true;
    log_warn("consumer %s: %s[%d]: %s", partition->intake->config->name, partition->lane->topic,
             partition->number, rd_kafka_message_errstr(message));
}

/* Turns messages into records; those of a new epoch that begins among them go by themselves. */
static void push(struct partition *partition, rd_kafka_message_t **messages, size_t count)
{
    struct intake *intake = partition->intake;
    struct record *records[BATCH_COUNT];
    size_t accepted = 0;
    for (size_t i = 0; i < count; i++) {
        if (messages[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_error(partition, messages[i]);
            continue;
        }
        if (messages[i]->offset < partition->offsets.delivered) {
            dispatcher_push(intake->dispatcher, partition->lane, records, accepted);
            accepted = 0;
            restart_at(partition, messages[i]->offset);
        } else if (messages[i]->offset > partition->offsets.delivered) {
            note_jump(partition, messages[i]->offset);
        }
        records[accepted++] = take_in(partition, messages[i]);
        intake->counts.received++;
    }
    dispatcher_push(intake->dispatcher, partition->lane, records, accepted);
}

size_t partition_read(struct partition *partition, size_t budget)
{
    size_t wanted = intake_room(partition->intake, &partition->share);
    if (wanted > budget)
        wanted = budget;
    if (wanted > BATCH_COUNT)
        wanted = BATCH_COUNT;
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
    intake_remove(partition->intake, &partition->share, record->block_bytes);
    discard(record);
}

/* The record is not settled and never will be in this epoch: nothing of its partition is committed
 * past it, nothing further is started or read. What has not begun is given back, the record itself
 * too when it has failed, so that a partition at a stand takes no room from the others; whoever is
 * assigned the partition next reads it again. */
static void stop_at(struct record *record, const char *reason)
{
    struct partition *partition = record->owner;
    struct intake *intake = partition->intake;
    partition->is_stopped = true;
    intake->counts.failed++;
    dispatcher_hold(intake->dispatcher, partition->lane);
    const struct log_field fields[] = {
        log_text("topic", record->topic),        log_integer("partition", record->partition),
        log_integer("offset", record->offset),   log_bytes("key", record->key, record->key_length),
        log_integer("attempt", record->attempt), log_text("reason", reason),
    };
    log_event(LOG_ERROR, fields, ARRAY_LENGTH(fields),
              "consumer %s: a record failed; its partition is stopped and will not be committed "
              "past it, mend the cause and restart",
              intake->config->name);
    partition->gives_back = true;
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

/* The dispatcher has kept it as the head of its strand, so that none of its successors began. */
static void end_badly(struct record *record)
{
    /* A handler that awaits what was refused fails by that: it was said when it was refused. */
    if (record->is_refused)
        return;
    stop_at(record, record->failure != NULL ? record->failure : "no reason given");
}

void partition_end_record(struct record *record)
{
    struct partition *partition = record->owner;
    struct intake *intake = partition->intake;
    record->is_ended = true;
    record->deliveries_open += (int32_t)record->published;
    if (record->epoch != partition->epoch) {
        if (record->state == RECORD_KEPT)
            dispatcher_release(intake->dispatcher, record);
        drop_record(partition, record);
        return;
    }
    switch (record->outcome) {
    case OUTCOME_DONE:
        intake->counts.handled++;
        end_well(record);
        return;
    case OUTCOME_SKIPPED:
        intake->counts.skipped++;
        intake_warn_unknown_type(intake, record);
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

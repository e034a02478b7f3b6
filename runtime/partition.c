#include "partition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "log.h"
#include "partition_internal.h"
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

void partition_await(struct partition *partition, struct record *record)
{
    list_append(&partition->awaited, &record->partition_link);
    partition->awaited_count++;
}

void partition_discard(struct record *record)
{
    record->is_dropped = true;
    if (record->deliveries_open == 0)
        record_free(&record);
}

void partition_drop_record(struct partition *partition, struct record *record)
{
    if (record->epoch == partition->epoch)
        intake_remove(partition->intake, &partition->share, record->block_bytes);
    retries_remove(&partition->intake->retries, record);
    dead_letters_forget(record);
    partition->intake->counts.dropped++;
    partition_discard(record);
}

/* What has not begun; but one whose dead letter is under way is nearly done with. */
static void give_back_unstarted(struct partition *partition)
{
    struct link unstarted;
    dispatcher_revoke(partition->intake->dispatcher, partition->lane, &unstarted);
    for (struct link *link; (link = list_pop(&unstarted)) != NULL;) {
        struct record *record = record_of_queue(link);
        if (record->is_lettered)
            partition_await(partition, record);
        else
            partition_drop_record(partition, record);
    }
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
        partition_drop_record(partition, CONTAINER_OF(link, struct record, partition_link));
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

/* The earliest offset that the broker still had at the last fetch; -1 when it is not known. */
static int64_t earliest_left(const struct partition *partition)
{
    int64_t low, high;
    rd_kafka_resp_err_t rc = rd_kafka_get_watermark_offsets(
        partition->intake->handle, partition->lane->topic, partition->number, &low, &high);
    return rc == RD_KAFKA_RESP_ERR_NO_ERROR ? low : -1;
}

/* What was to be read next was removed by retention: librdkafka goes on at the earliest left. */
static void note_jump(struct partition *partition, int64_t offset)
{
    struct intake *intake = partition->intake;
    intake->counts.jumps++;
    log_error("consumer %s: %s[%d]: offsets %" PRId64 " to %" PRId64
              " were removed by retention before they were read; goes on at %" PRId64,
              intake->config->name, partition->lane->topic, partition->number,
              partition->offsets.delivered, offset - 1, offset);
}

void partition_skip_removed(struct partition *partition)
{
    ASSERT_ON(THREAD_MAIN);
    if (partition->is_stopped || partition->is_gated || offsets_unsettled(&partition->offsets) > 0)
        return;
    int64_t earliest = earliest_left(partition);
    /* In this order: what was fetched before the broker told of the loss is in the queue by now. */
    if (earliest <= partition->offsets.delivered || rd_kafka_queue_length(partition->queue) > 0)
        return;
    note_jump(partition, earliest);
    offsets_skip_to(&partition->offsets, earliest);
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
    const struct consumer_config *config = partition->intake->config;
    const char *topic = partition->lane->topic;
    struct error reason;
    partition->has_seen_error = true;
    cluster_explain_code(message->err, topic, config->group, &reason);
    log_warn("consumer %s: %s[%d]: %s", config->name, topic, partition->number, reason.text);
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
        } else if (messages[i]->offset > partition->offsets.delivered &&
                   earliest_left(partition) > partition->offsets.delivered) {
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

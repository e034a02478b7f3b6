/* What a partition reads: its queue in librdkafka, and what comes out of that. */
#include <assert.h>
#include <inttypes.h>

#include "cluster.h"
#include "log.h"
#include "partition_internal.h"
#include "thread.h"

/* Messages asked of librdkafka at once. */
enum { BATCH_COUNT = 256 };

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
    partition_begin(partition, start);
    partition->queue = rd_kafka_queue_get_partition(partition->intake->handle,
                                                    partition->lane->topic, partition->number);
    rd_kafka_queue_forward(partition->queue, NULL);
    rd_kafka_queue_cb_event_enable(partition->queue, on_messages, partition);
    /* It fires for what comes, not for what is there. */
    atomic_store(&partition->is_ready, true);
}

void partition_drop(struct partition *partition)
{
    partition_end_epoch(partition);
    rd_kafka_queue_cb_event_enable(partition->queue, NULL, NULL);
    rd_kafka_queue_destroy(partition->queue);
    partition->queue = NULL;
    atomic_store(&partition->is_ready, false);
}

/* What is in the queue already is not read any more. */
static void seek(const struct partition *partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, partition->lane->topic, partition->number)->offset =
        offset;
    rd_kafka_error_destroy(rd_kafka_seek_partitions(partition->intake->handle, list, 0));
    rd_kafka_topic_partition_list_destroy(list);
}

void partition_seek(struct partition *partition, int64_t offset)
{
    ASSERT_ON(THREAD_MAIN);
    const struct partition_start start = {.offset = offset};
    partition_end_epoch(partition);
    partition_begin(partition, &start);
    partition->is_position_stale = true;
    seek(partition, offset);
    atomic_store(&partition->is_ready, true);
}

static void start_again(struct partition *partition)
{
    /* It may have been reading again when it stopped. */
    int64_t at = partition->offsets.next;
    int64_t offset = partition_begin_again(partition);
    if (offset != at)
        seek(partition, offset);
    /* What it drops stays in its queue until that is read, and until then nothing new is told. */
    atomic_store(&partition->is_ready, true);
}

int partition_resume(struct partition *partition, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    if (partition_check_resume(partition, err) != 0)
        return -1;
    partition->stop.is_resuming = true;
    if (!partition_has_to_wait(partition))
        start_again(partition);
    return 0;
}

void partition_go_on(struct partition *partition)
{
    if (partition_is_to_go_on(partition))
        start_again(partition);
}

/* --- reading --- */

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

/* What was given back is not there to be read again: retention or compaction has removed it. */
static void note_gone(struct partition *partition, size_t count)
{
    struct intake *intake = partition->intake;
    if (count == 0)
        return;
    intake->counts.jumps++;
    log_error("consumer %s: %s[%d]: %zu record%s that had not been handled when the partition "
              "stopped %s not there any more",
              intake->config->name, partition->lane->topic, partition->number, count,
              count == 1 ? "" : "s", count == 1 ? "is" : "are");
}

void partition_skip_removed(struct partition *partition)
{
    ASSERT_ON(THREAD_MAIN);
    if (partition->is_stopped || partition->is_gated)
        return;
    bool is_reading_again = offsets_is_reading_again(&partition->offsets);
    if (!is_reading_again && offsets_unsettled(&partition->offsets) > 0)
        return;
    int64_t earliest = earliest_left(partition);
    /* In this order: what was fetched before the broker told of the loss is in the queue by now. */
    if (earliest <= partition->offsets.next || rd_kafka_queue_length(partition->queue) > 0)
        return;
    note_gone(partition, offsets_settle_removed(&partition->offsets, earliest));
    if (offsets_unsettled(&partition->offsets) > 0 || earliest <= partition->offsets.delivered)
        return;
    note_jump(partition, earliest);
    offsets_skip_to(&partition->offsets, earliest);
}

/* The broker's log is shorter than what was read (an unclean election, a topic made anew): what
 * follows belongs to a new epoch, or its offsets would be taken for settled ones. Says whether
 * reading goes on with the message of that offset; else what is there already is read once more. */
static bool restart_at(struct partition *partition, int64_t offset)
{
    struct intake *intake = partition->intake;
    int64_t delivered = partition->offsets.delivered;
    int64_t start = partition_restart(partition, offset);
    log_warn("consumer %s: %s[%d]: the broker's log went back from offset %" PRId64 " to %" PRId64
             "; it is read again from %" PRId64,
             intake->config->name, partition->lane->topic, partition->number, delivered, offset,
             start);
    if (start == offset)
        return true;
    seek(partition, start);
    return false;
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

/* Records that go to the dispatcher together. */
struct batch {
    struct record *records[BATCH_COUNT];
    size_t count;
};

static void push_batch(struct partition *partition, struct batch *batch)
{
    dispatcher_push(partition->intake->dispatcher, partition->lane, batch->records, batch->count);
    batch->count = 0;
}

/* A record that is new to the epoch. */
static uint64_t add_slot(struct partition *partition, int64_t offset)
{
    int64_t delivered = partition->offsets.delivered;
    if (offset > delivered && earliest_left(partition) > delivered)
        note_jump(partition, offset);
    return offsets_add(&partition->offsets, offset);
}

/* False: what follows it is not to be read, the reader has to be elsewhere. */
static bool take(struct partition *partition, const rd_kafka_message_t *message,
                 struct batch *batch)
{
    uint64_t slot;
    size_t gone = 0;
    switch (offsets_meet(&partition->offsets, message->offset, &slot, &gone)) {
    case OFFSETS_KNOWN:
        return true;
    case OFFSETS_WENT_BACK:
        /* Those of the new epoch go by themselves. */
        push_batch(partition, batch);
        if (!restart_at(partition, message->offset))
            return false;
        slot = add_slot(partition, message->offset);
        break;
    case OFFSETS_NEW:
        slot = add_slot(partition, message->offset);
        break;
    case OFFSETS_AGAIN:
        break;
    }
    note_gone(partition, gone);
    partition->is_position_stale = false;
    struct record *record = record_new(message, partition->lane->topic);
    partition_take_in(partition, record, slot);
    batch->records[batch->count++] = record;
    return true;
}

static void push(struct partition *partition, rd_kafka_message_t **messages, size_t count)
{
    struct batch batch = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        if (messages[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            note_error(partition, messages[i]);
        else if (!take(partition, messages[i], &batch))
            return;
    }
    push_batch(partition, &batch);
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
    intake_note_time(partition->intake);
    push(partition, messages, (size_t)count);
    for (ssize_t i = 0; i < count; i++)
        rd_kafka_message_destroy(messages[i]);
    /* The queue tells only of what comes into an empty one. */
    if ((size_t)count == wanted)
        atomic_store(&partition->is_ready, true);
    return (size_t)count;
}

/* What a partition reads: its queue in librdkafka, and what comes out of that. */
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

/* What is in the queue already is not read any more. */
static void seek(const struct partition *partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, partition->lane->topic, partition->number)->offset =
        offset;
    rd_kafka_error_destroy(rd_kafka_seek_partitions(partition->intake->handle, list, 0));
    rd_kafka_topic_partition_list_destroy(list);
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
            if (!restart_at(partition, messages[i]->offset))
                return;
        } else if (messages[i]->offset > partition->offsets.delivered &&
                   earliest_left(partition) > partition->offsets.delivered) {
            note_jump(partition, messages[i]->offset);
        }
        records[accepted] = record_new(messages[i], partition->lane->topic);
        partition_take_in(partition, records[accepted++]);
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

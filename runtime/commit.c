#include "commit.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "log.h"
#include "thread.h"

/* A failing commit is said at most this often. */
enum { WARN_INTERVAL_MS = 5000 };

void commit_init(struct commit *commit, struct assignment *assignment, rd_kafka_queue_t *queue)
{
    *commit = (struct commit){.assignment = assignment, .queue = queue};
}

void commit_destroy(struct commit *commit)
{
    free(commit->entries);
    commit->entries = NULL;
}

/* With nothing unsettled, the position of librdkafka tells of offsets behind the last record that
 * hold none: without them the lag would never be 0 behind a transactional producer. */
static void skip_holes(struct partition *partition)
{
    rd_kafka_t *handle = partition->intake->handle;
    if (partition->has_seen_error || partition->is_position_stale ||
        offsets_unsettled(&partition->offsets) > 0)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *place =
        rd_kafka_topic_partition_list_add(list, partition->lane->topic, partition->number);
    int64_t low, high;
    if (rd_kafka_position(handle, list) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_get_watermark_offsets(handle, partition->lane->topic, partition->number, &low,
                                       &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        place->offset >= 0 && place->offset <= high)
        offsets_skip_to(&partition->offsets, place->offset);
    rd_kafka_topic_partition_list_destroy(list);
}

static void add_entry(struct commit *commit, struct partition *partition,
                      rd_kafka_topic_partition_list_t *list)
{
    commit->entries = xrealloc(commit->entries, (commit->count + 1) * sizeof commit->entries[0]);
    commit->entries[commit->count++] = (struct commit_entry){partition, partition->epoch};
    rd_kafka_topic_partition_list_add(list, partition->lane->topic, partition->number)->offset =
        partition->offsets.position;
}

static void send_list(struct commit *commit, rd_kafka_topic_partition_list_t *list)
{
    const struct intake *intake = &commit->assignment->intake;
    rd_kafka_resp_err_t rc = rd_kafka_commit_queue(intake->handle, list, commit->queue, NULL, NULL);
    commit->is_in_flight = rc == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!commit->is_in_flight)
        log_warn("consumer %s: commit: %s", intake->config->name, cluster_cause(rc));
}

void commit_start(struct commit *commit)
{
    ASSERT_ON(THREAD_MAIN);
    if (commit->is_in_flight)
        return;
    commit->count = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (struct partition *partition = assignment_first(commit->assignment); partition != NULL;
         partition = assignment_next(commit->assignment, partition)) {
        if (partition->epoch == 0)
            continue;
        partition_skip_removed(partition);
        skip_holes(partition);
        if (offsets_is_commit_due(&partition->offsets))
            add_entry(commit, partition, list);
    }
    if (commit->count > 0)
        send_list(commit, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void mark(const struct commit *commit, const rd_kafka_topic_partition_t *place)
{
    for (size_t i = 0; i < commit->count; i++) {
        struct partition *partition = commit->entries[i].partition;
        if (partition->number != place->partition ||
            strcmp(partition->lane->topic, place->topic) != 0)
            continue;
        partition_mark_committed(partition, commit->entries[i].epoch, place->offset);
        return;
    }
}

/* What failed stays due and goes with the next commit, or with the revoke that follows. */
static void warn(struct commit *commit, rd_kafka_resp_err_t code, const char *topic)
{
    int64_t now_ms = clock_monotonic_ms();
    const struct consumer_config *config = commit->assignment->intake.config;
    struct error reason;
    cluster_explain_code(code, topic, config->group, &reason);
    faults_note(&commit->assignment->intake.faults, FAULT_COMMIT, NULL, reason.text);
    if (commit->warned_at_ms != 0 && now_ms - commit->warned_at_ms < WARN_INTERVAL_MS)
        return;
    commit->warned_at_ms = now_ms;
    log_warn("consumer %s: offsets could not be committed, will try again: %s", config->name,
             reason.text);
}

void commit_on_event(struct commit *commit, rd_kafka_event_t *event)
{
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    bool is_answered = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    const char *refused = NULL; /* the first topic that was */
    commit->is_in_flight = false;
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *place = &list->elems[i];
        if (is_answered && place->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            mark(commit, place);
        } else if (place->err != RD_KAFKA_RESP_ERR_NO_ERROR && refused == NULL) {
            refused = place->topic;
            code = place->err;
        }
    }
    *(code == RD_KAFKA_RESP_ERR_NO_ERROR ? &commit->done : &commit->failed) += 1;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        warn(commit, code, refused);
}

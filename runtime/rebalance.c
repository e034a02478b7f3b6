#include "rebalance.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "log.h"
#include "rebalance_words.h"
#include "start_offsets.h"
#include "thread.h"

enum {
    RESOLVE_TIMEOUT_MS = 5000,
    RETRY_MS = 500,
};

/* What a helper finds out for an assignment. */
struct resolving {
    uv_work_t work;
    struct rebalance *rebalance;
    rd_kafka_topic_partition_list_t *list; /* a copy: the event's may not be written */
    struct partition_start *starts;
    enum offset_reset offset_reset;
    struct error err;
    int rc;
};

static const struct intake *intake_of(const struct rebalance *rebalance)
{
    return &rebalance->options.assignment->intake;
}

static const char *name_of(const struct rebalance *rebalance)
{
    return intake_of(rebalance)->config->name;
}

static rd_kafka_t *handle_of(const struct rebalance *rebalance)
{
    return intake_of(rebalance)->handle;
}

void rebalance_init(struct rebalance *rebalance, const struct rebalance_options *options)
{
    *rebalance = (struct rebalance){.options = *options};
}

/* --- the partitions of the event --- */

static rd_kafka_topic_partition_list_t *event_list(const struct rebalance *rebalance)
{
    return rd_kafka_event_topic_partition_list(rebalance->event);
}

static struct partition *partition_at(struct rebalance *rebalance, int index)
{
    const rd_kafka_topic_partition_t *place = &event_list(rebalance)->elems[index];
    return assignment_find(rebalance->options.assignment, place->topic, place->partition);
}

/* The answer is given: the next event may come. */
static void end_event(struct rebalance *rebalance)
{
    rd_kafka_event_destroy(rebalance->event);
    rebalance->event = NULL;
    rebalance->phase = REBALANCE_IDLE;
}

/* Eager and cooperative differ in the call alone. NULL revokes everything. */
static void answer(struct rebalance *rebalance, rd_kafka_resp_err_t kind,
                   const rd_kafka_topic_partition_list_t *list)
{
    bool is_assign = kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (strcmp(rd_kafka_rebalance_protocol(handle_of(rebalance)), "COOPERATIVE") == 0) {
        rebalance_say_refusal(name_of(rebalance),
                              is_assign
                                  ? rd_kafka_incremental_assign(handle_of(rebalance), list)
                                  : rd_kafka_incremental_unassign(handle_of(rebalance), list));
        return;
    }
    rd_kafka_resp_err_t rc = rd_kafka_assign(handle_of(rebalance), is_assign ? list : NULL);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_warn("consumer %s: the answer to a rebalance was refused: %s", name_of(rebalance),
                 cluster_cause(rc));
}

/* --- assign --- */

static void resolve(uv_work_t *work)
{
    struct resolving *resolving = CONTAINER_OF(work, struct resolving, work);
    struct rebalance *rebalance = resolving->rebalance;
    resolving->rc = start_offsets_resolve(handle_of(rebalance), rebalance->options.query,
                                          resolving->list, resolving->offset_reset,
                                          RESOLVE_TIMEOUT_MS, resolving->starts, &resolving->err);
}

static void resolving_free(struct resolving *resolving)
{
    rd_kafka_topic_partition_list_destroy(resolving->list);
    free(resolving->starts);
    free(resolving);
}

/* Every partition begins at an explicit offset; a start that was resolved here is committed at once
 * and gates its partition, or `latest` and a crash would lose what came between. */
static void begin_assigned(struct rebalance *rebalance, const struct resolving *resolving)
{
    for (int i = 0; i < resolving->list->cnt; i++) {
        struct partition *partition = partition_at(rebalance, i);
        if (partition->epoch != 0)
            partition_drop(partition);
        partition_assign(partition, &resolving->starts[i]);
        if (resolving->starts[i].is_missing)
            rebalance_say_missing_start(name_of(rebalance), partition);
    }
    rebalance_say_list(name_of(rebalance), LOG_INFO, "assigned", resolving->list);
    rebalance_say_memory(rebalance->options.assignment);
    answer(rebalance, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, resolving->list);
    end_event(rebalance);
    commit_start(rebalance->options.commit);
}

/* The stop came first: the assignment is answered, but taken up by nobody. */
static void assign_nothing(struct rebalance *rebalance)
{
    rd_kafka_topic_partition_list_t *nothing = rd_kafka_topic_partition_list_new(0);
    answer(rebalance, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, nothing);
    rd_kafka_topic_partition_list_destroy(nothing);
    end_event(rebalance);
}

static void on_resolved(uv_work_t *work, int status)
{
    (void)status;
    struct resolving *resolving = CONTAINER_OF(work, struct resolving, work);
    struct rebalance *rebalance = resolving->rebalance;
    assert(rebalance->phase == REBALANCE_RESOLVING);
    if (resolving->rc == 0) {
        begin_assigned(rebalance, resolving);
    } else if (rebalance->is_stopping) {
        assign_nothing(rebalance);
    } else {
        log_warn("consumer %s: %s; will try again", name_of(rebalance), resolving->err.text);
        rebalance->phase = REBALANCE_WAITING;
        rebalance->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
    }
    resolving_free(resolving);
    rebalance->options.on_progress(rebalance->options.context);
}

static void begin_resolving(struct rebalance *rebalance)
{
    struct resolving *resolving = xcalloc(1, sizeof *resolving);
    resolving->rebalance = rebalance;
    resolving->offset_reset = intake_of(rebalance)->config->offset_reset;
    resolving->list = rd_kafka_topic_partition_list_copy(event_list(rebalance));
    resolving->starts = xcalloc((size_t)resolving->list->cnt, sizeof resolving->starts[0]);
    rebalance->phase = REBALANCE_RESOLVING;
    uv_queue_work(rebalance->options.loop, &resolving->work, resolve, on_resolved);
}

static void begin_assign(struct rebalance *rebalance)
{
    rebalance->has_seen_assign = true;
    rebalance->counts.assigned++;
    if (rebalance->is_closing) {
        /* Answering now can hang the close. */
        end_event(rebalance);
    } else if (event_list(rebalance)->cnt == 0) {
        answer(rebalance, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, event_list(rebalance));
        end_event(rebalance);
    } else {
        begin_resolving(rebalance);
    }
}

/* --- revoke --- */

static struct drain_limits limits_of(const struct rebalance *rebalance)
{
    int64_t max_poll_ms = rebalance->options.max_poll_ms;
    if (rebalance->is_stopping)
        return drain_limits_in_stop(&rebalance->stop_limits, rebalance->began_ms, max_poll_ms);
    return drain_limits_of_revoke(rebalance->began_ms,
                                  intake_of(rebalance)->config->drain_timeout_ms, max_poll_ms);
}

static void begin_revoke(struct rebalance *rebalance)
{
    rebalance->began_ms = clock_monotonic_ms();
    rebalance->is_lost = rd_kafka_assignment_lost(handle_of(rebalance)) != 0;
    *(rebalance->is_lost ? &rebalance->counts.lost : &rebalance->counts.revoked) += 1;
    rebalance->phase = REBALANCE_DRAINING;
    const struct drain_limits limits = limits_of(rebalance);
    drain_begin(&rebalance->drain, &limits);
    for (int i = 0; i < event_list(rebalance)->cnt; i++) {
        struct partition *partition = partition_at(rebalance, i);
        if (partition->epoch == 0)
            continue;
        if (rebalance->is_lost)
            partition_revoke(partition);
        else
            partition_drain(partition);
    }
    rebalance_say_list(name_of(rebalance), rebalance->is_lost ? LOG_WARN : LOG_INFO,
                       rebalance->is_lost ? "lost" : "gives back", event_list(rebalance));
    dispatcher_set_need(intake_of(rebalance)->dispatcher, NEED_EVERY, 0);
}

/* They may be lost on the way, when the group hears nothing of the member any more: then whatever
 * is begun from there on is begun elsewhere too. */
static struct drain_sight look(struct rebalance *rebalance)
{
    rebalance->is_lost = rebalance->is_lost || rd_kafka_assignment_lost(handle_of(rebalance)) != 0;
    struct drain_sight sight = {
        .is_lost = rebalance->is_lost,
        .is_commit_in_flight = rebalance->options.commit->is_in_flight,
    };
    for (int i = 0; i < event_list(rebalance)->cnt; i++)
        partition_look(partition_at(rebalance, i), &sight);
    return sight;
}

static void give_back_unstarted(struct rebalance *rebalance)
{
    for (int i = 0; i < event_list(rebalance)->cnt; i++) {
        struct partition *partition = partition_at(rebalance, i);
        if (partition->epoch != 0)
            partition_revoke(partition);
    }
}

static void say_leftovers(struct rebalance *rebalance)
{
    for (int i = 0; i < event_list(rebalance)->cnt; i++)
        rebalance_say_leftovers(name_of(rebalance), partition_at(rebalance, i));
}

static void end_revoke(struct rebalance *rebalance)
{
    for (int i = 0; i < event_list(rebalance)->cnt; i++) {
        struct partition *partition = partition_at(rebalance, i);
        if (partition->epoch == 0)
            continue;
        rebalance_say_uncommitted(name_of(rebalance), partition, rebalance->is_lost);
        partition_drop(partition);
    }
    answer(rebalance, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, event_list(rebalance));
    end_event(rebalance);
    dispatcher_set_need(intake_of(rebalance)->dispatcher, NEED_NOTHING, 0);
}

/* One step; false when there is nothing to do now. */
static bool step_drain(struct rebalance *rebalance)
{
    const struct drain_sight sight = look(rebalance);
    switch (drain_step(&rebalance->drain, &sight, clock_monotonic_ms())) {
    case DRAIN_WAIT:
        return false;
    case DRAIN_GIVE_BACK:
        give_back_unstarted(rebalance);
        break;
    case DRAIN_COLLECT:
        assignment_collect(rebalance->options.assignment);
        break;
    case DRAIN_LET_GO:
        say_leftovers(rebalance);
        break;
    case DRAIN_COMMIT:
        commit_start(rebalance->options.commit);
        break;
    case DRAIN_END:
        if (rebalance->drain.is_late)
            log_warn("consumer %s: the last commit got no answer in time; records may be handled "
                     "again",
                     name_of(rebalance));
        end_revoke(rebalance);
        break;
    }
    return true;
}

/* --- steps --- */

static void begin_event(struct rebalance *rebalance)
{
    rebalance->event = rebalance->waiting[0];
    rebalance->waiting_count--;
    memmove(rebalance->waiting, rebalance->waiting + 1,
            rebalance->waiting_count * sizeof rebalance->waiting[0]);
    rd_kafka_resp_err_t kind = rd_kafka_event_error(rebalance->event);
    if (kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        begin_assign(rebalance);
    } else if (kind == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        begin_revoke(rebalance);
    } else {
        log_warn("consumer %s: rebalance: %s", name_of(rebalance), cluster_cause(kind));
        rd_kafka_assign(handle_of(rebalance), NULL);
        end_event(rebalance);
    }
}

/* One step; false when there is nothing to do now. */
static bool step(struct rebalance *rebalance)
{
    switch (rebalance->phase) {
    case REBALANCE_IDLE:
        if (rebalance->waiting_count == 0)
            return false;
        begin_event(rebalance);
        return true;
    case REBALANCE_RESOLVING:
        return false;
    case REBALANCE_WAITING:
        if (rebalance->is_stopping) {
            assign_nothing(rebalance);
            return true;
        }
        if (clock_monotonic_ms() < rebalance->retry_at_ms)
            return false;
        begin_resolving(rebalance);
        return true;
    case REBALANCE_DRAINING:
        return step_drain(rebalance);
    }
    return false;
}

void rebalance_step(struct rebalance *rebalance)
{
    ASSERT_ON(THREAD_MAIN);
    while (step(rebalance))
        continue;
}

bool rebalance_is_idle(const struct rebalance *rebalance)
{
    return rebalance->phase == REBALANCE_IDLE && rebalance->waiting_count == 0;
}

void rebalance_stop(struct rebalance *rebalance, const struct drain_limits *limits)
{
    rebalance->is_stopping = true;
    rebalance->stop_limits = *limits;
    if (rebalance->phase != REBALANCE_DRAINING)
        return;
    const struct drain_limits now = limits_of(rebalance);
    drain_limit(&rebalance->drain, &now);
}

void rebalance_close(struct rebalance *rebalance)
{
    rebalance->is_closing = true;
}

void rebalance_push(struct rebalance *rebalance, rd_kafka_event_t *event)
{
    rebalance->waiting =
        xrealloc(rebalance->waiting, (rebalance->waiting_count + 1) * sizeof rebalance->waiting[0]);
    rebalance->waiting[rebalance->waiting_count++] = event;
}

void rebalance_destroy(struct rebalance *rebalance)
{
    if (rebalance->event != NULL)
        rd_kafka_event_destroy(rebalance->event);
    for (size_t i = 0; i < rebalance->waiting_count; i++)
        rd_kafka_event_destroy(rebalance->waiting[i]);
    free(rebalance->waiting);
    rebalance->event = NULL;
    rebalance->waiting = NULL;
    rebalance->waiting_count = 0;
}

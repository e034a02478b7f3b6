#include "membership.h"

#include <stdio.h>

#include "cluster.h"
#include "error.h"
#include "log.h"
#include "membership_joining.h"

enum {
    RESUBSCRIBE_MS = 2000,
    LONG_JOIN_MS = 10000,       /* beyond Kafka's own delay for a group's first members */
    FIRST_ASSIGNMENT_MS = 3000, /* that leaving waits for, where it has to */
    EVENTS_A_TURN = 256,        /* then the loop's others have their turn */
};

/* Before 2.3 librdkafka aborts when a cooperative consumer is closed before its first assignment.
 */
enum { SAFE_COOPERATIVE_CLOSE = 0x02030000 };

static const struct consumer_config *config_of(const struct membership *membership)
{
    return membership->options.assignment->intake.config;
}

static void on_queue_event(rd_kafka_t *handle, void *context)
{
    (void)handle;
    struct membership *membership = context;
    membership->options.on_event(membership->options.context);
}

void membership_init(struct membership *membership, const struct membership_options *options)
{
    *membership = (struct membership){.options = *options};
    rd_kafka_t *handle = options->handle;
    options->assignment->intake.handle = handle;
    rd_kafka_poll_set_consumer(handle);
    rd_kafka_set_log_queue(handle, NULL);
    membership->queue = rd_kafka_queue_get_consumer(handle);
    commit_init(&membership->commit, options->assignment, membership->queue);
    const struct rebalance_options rebalance = {
        .loop = options->loop,
        .assignment = options->assignment,
        .commit = &membership->commit,
        .query = options->query,
        .max_poll_ms = options->max_poll_ms,
        .context = options->context,
        .on_progress = options->on_progress,
    };
    rebalance_init(&membership->rebalance, &rebalance);
    statistics_init(&membership->statistics, options->loop);
    rd_kafka_queue_cb_event_enable(membership->queue, on_queue_event, membership);
}

rd_kafka_t *membership_destroy(struct membership *membership)
{
    statistics_destroy(&membership->statistics);
    rebalance_destroy(&membership->rebalance);
    commit_destroy(&membership->commit);
    rd_kafka_queue_cb_event_enable(membership->queue, NULL, NULL);
    rd_kafka_queue_destroy(membership->queue);
    membership->options.assignment->intake.handle = NULL;
    return membership->options.handle;
}

/* --- joining --- */

void membership_join(struct membership *membership)
{
    const struct consumer_config *config = config_of(membership);
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)config->topic_count);
    for (size_t i = 0; i < config->topic_count; i++)
        rd_kafka_topic_partition_list_add(topics, config->topics[i], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t rc = rd_kafka_subscribe(membership->options.handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    membership->is_subscribed = true;
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_error("consumer %s: subscribe: %s", config->name, cluster_cause(rc));
}

/* Librdkafka looks for a missing topic again after minutes; a new subscribe makes it look at
 * once. */
static void resubscribe(struct membership *membership)
{
    if (membership->resubscribe_at_ms == 0 || membership->is_stopping ||
        clock_monotonic_ms() < membership->resubscribe_at_ms)
        return;
    membership->resubscribe_at_ms = 0;
    membership_join(membership);
}

/* Else a start after a crash looks like one that hangs. */
static void remark_long_join(struct membership *membership)
{
    if (!joining_is_under_way(membership->options.handle) || membership->is_stopping) {
        membership->joining_since_ms = 0;
        membership->has_said_joining = false;
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (membership->joining_since_ms == 0)
        membership->joining_since_ms = now_ms;
    if (membership->has_said_joining || now_ms < membership->joining_since_ms + LONG_JOIN_MS)
        return;
    membership->has_said_joining = true;
    const struct consumer_config *config = config_of(membership);
    log_info(
        "consumer %s: still joining group %s: another member finishes its records, or ended "
        "without leaving; then Kafka waits until its session is over (session.timeout.ms, 45 s "
        "unless set)",
        config->name, config->group);
}

static void note_missing_topic(struct membership *membership, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    bool is_missing =
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR && is_missing &&
        membership->resubscribe_at_ms == 0)
        membership->resubscribe_at_ms = clock_monotonic_ms() + RESUBSCRIBE_MS;
}

/* --- events --- */

/* What only the membership can put in words. */
static void explain_fatal(const struct membership *membership, struct error *err)
{
    const struct consumer_config *config = config_of(membership);
    char reason[512];
    if (rd_kafka_fatal_error(membership->options.handle, reason, sizeof reason) ==
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        error_set(err,
                  "another process has joined group %s with instance_id \"%s\" and has taken this "
                  "one's place; give each process an id of its own",
                  config->group, config->instance_id);
}

/* That no broker is left says nothing that each of them has not said. */
static void note_fault(const struct membership *membership, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    struct error sentence;
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR ||
        code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return;
    cluster_explain(code, rd_kafka_event_error_string(event), &sentence);
    faults_note(&membership->options.assignment->intake.faults, FAULT_KAFKA, NULL, sentence.text);
}

static void on_trouble(struct membership *membership, rd_kafka_event_t *event)
{
    char who[256];
    struct error err;
    snprintf(who, sizeof who, "consumer %s", config_of(membership)->name);
    note_missing_topic(membership, event);
    note_fault(membership, event);
    if (!cluster_log_event(event, who, &err) || membership->is_stopping)
        return;
    explain_fatal(membership, &err);
    membership->options.on_fatal(membership->options.context, &err);
}

static void serve_event(struct membership *membership, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
        rebalance_push(&membership->rebalance, event);
        return;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        commit_on_event(&membership->commit, event);
        break;
    case RD_KAFKA_EVENT_STATS:
        statistics_take(&membership->statistics, rd_kafka_event_stats(event));
        break;
    case RD_KAFKA_EVENT_LOG:
    case RD_KAFKA_EVENT_ERROR:
        on_trouble(membership, event);
        break;
    default:
        break;
    }
    rd_kafka_event_destroy(event);
}

bool membership_serve(struct membership *membership)
{
    int count = 0;
    for (rd_kafka_event_t *event;
         count < EVENTS_A_TURN && (event = rd_kafka_queue_poll(membership->queue, 0)) != NULL;
         count++)
        serve_event(membership, event);
    resubscribe(membership);
    remark_long_join(membership);
    rebalance_step(&membership->rebalance);
    return count == EVENTS_A_TURN;
}

void membership_commit(struct membership *membership)
{
    if (!joining_is_under_way(membership->options.handle))
        commit_start(&membership->commit);
}

bool membership_is_rebalancing(const struct membership *membership)
{
    return !rebalance_is_idle(&membership->rebalance);
}

/* --- leaving --- */

void membership_stop(struct membership *membership, int64_t interrupt_ms, int64_t end_ms)
{
    bool is_first = !membership->is_stopping;
    membership->is_stopping = true;
    if (is_first)
        membership->stop_began_ms = clock_monotonic_ms();
    const struct drain_limits limits =
        drain_limits_of_stop(membership->stop_began_ms, interrupt_ms, end_ms);
    if (is_first)
        drain_begin(&membership->drain, &limits);
    else
        drain_limit(&membership->drain, &limits);
    rebalance_stop(&membership->rebalance, &limits);
}

static bool is_close_unsafe(const struct membership *membership)
{
    return membership->options.is_cooperative && membership->is_subscribed &&
           !membership->rebalance.has_seen_assign && rd_kafka_version() < SAFE_COOPERATIVE_CLOSE;
}

static struct drain_sight look(const struct membership *membership)
{
    struct drain_sight sight = {0};
    const struct assignment *assignment = membership->options.assignment;
    for (const struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        partition_look(partition, &sight);
    return sight;
}

/* Librdkafka sends no heartbeat any more once it closes. So what has begun ends before, or a member
 * whose session is shorter than its handlers is thrown out and may not commit them. The last commit
 * is that of the revoke by which it leaves. */
static bool is_drained(struct membership *membership)
{
    while (!drain_is_settled(&membership->drain)) {
        const struct drain_sight sight = look(membership);
        switch (drain_step(&membership->drain, &sight, clock_monotonic_ms())) {
        case DRAIN_WAIT:
            return false;
        case DRAIN_GIVE_BACK:
            assignment_revoke_all(membership->options.assignment);
            break;
        case DRAIN_COLLECT:
            assignment_collect(membership->options.assignment);
            break;
        default:
            break;
        }
    }
    return true;
}

/* While it does, it may not commit. */
static bool is_joining(const struct membership *membership)
{
    return clock_monotonic_ms() < membership->drain.limits.handlers_ms &&
           joining_is_under_way(membership->options.handle) &&
           assignment_is_any(membership->options.assignment);
}

/* False when the handle refuses to close: then no revoke will come, and nothing can be committed.
 */
static bool begin_close(struct membership *membership)
{
    membership->is_closing = true;
    rebalance_close(&membership->rebalance);
    rd_kafka_error_t *error =
        rd_kafka_consumer_close_queue(membership->options.handle, membership->queue);
    if (error == NULL)
        return true;
    log_warn("consumer %s: cannot leave its group: %s", config_of(membership)->name,
             rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    const struct assignment *assignment = membership->options.assignment;
    for (struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition))
        if (partition->epoch != 0)
            partition_drop(partition);
    return false;
}

enum leave_state membership_leave(struct membership *membership)
{
    if (!membership->is_closing) {
        if (!rebalance_is_idle(&membership->rebalance) || !is_drained(membership) ||
            is_joining(membership))
            return LEAVE_PENDING;
        if (is_close_unsafe(membership))
            return clock_monotonic_ms() < membership->stop_began_ms + FIRST_ASSIGNMENT_MS
                       ? LEAVE_PENDING
                       : LEAVE_UNSAFE;
        if (!begin_close(membership))
            return LEAVE_BROKEN;
    }
    return rd_kafka_consumer_closed(membership->options.handle) ? LEAVE_DONE : LEAVE_PENDING;
}

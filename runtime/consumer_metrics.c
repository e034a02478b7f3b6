/* What a consumer counts, for Prometheus, and whether it is ready. */
#include <stdio.h>

#include "consumer_internal.h"
#include "metrics.h"
#include "thread.h"

/* Where a value belongs. */
struct place {
    struct metrics *metrics;
    const char *consumer;
};

static void add(const struct place *place, enum metric metric, double value)
{
    const struct metric_labels labels = {{place->consumer}};
    metrics_add(place->metrics, metric, &labels, value);
}

static void add_kind(const struct place *place, enum metric metric, const char *kind,
                     uint64_t value)
{
    const struct metric_labels labels = {{place->consumer, kind}};
    metrics_add(place->metrics, metric, &labels, (double)value);
}

static void add_counts(const struct place *place, const struct consumer_counts *counts)
{
    add(place, METRIC_RECEIVED, (double)counts->received);
    add_kind(place, METRIC_ENDED, "handled", counts->handled);
    add_kind(place, METRIC_ENDED, "skipped", counts->skipped);
    add_kind(place, METRIC_ENDED, "dead_letter", counts->letters);
    add_kind(place, METRIC_ENDED, "stopped", counts->failed);
    add_kind(place, METRIC_ENDED, "given_back", counts->dropped);
    add(place, METRIC_RETRIES, (double)counts->retried);
    add(place, METRIC_DEAD_LETTERS, (double)counts->letters);
    add(place, METRIC_JUMPS, (double)counts->jumps);
}

static void add_faults(const struct place *place, const struct faults *faults)
{
    for (size_t i = 0; i < FAULT_COUNT; i++)
        add_kind(place, METRIC_ERRORS, fault_name((enum fault)i), faults->kinds[i].count);
}

/* Their producer is none that is declared. */
static void add_letters(const struct place *place, const struct dead_letters *letters)
{
    const char *name;
    if (letters == NULL)
        return;
    const struct statistics *statistics = dead_letters_statistics(letters, &name);
    metrics_add_client(place->metrics, METRIC_OF_PRODUCER, name, statistics);
}

static void add_waits(const struct place *place, const struct histogram *waits)
{
    struct histogram_sum sum = {0};
    const struct metric_labels labels = {{place->consumer}};
    histogram_add(&sum, waits);
    metrics_add_histogram(place->metrics, METRIC_RECORD_WAIT, &labels, &sum);
}

static void add_pool(const struct place *place, const struct consumer *consumer)
{
    const struct pool *pool = &consumer->pool;
    struct histogram_sum durations = {0};
    const struct metric_labels labels = {{place->consumer}};
    add(place, METRIC_WORKERS, (double)pool->running);
    add(place, METRIC_WORKERS_WANTED, (double)pool->wanted);
    add(place, METRIC_WORKERS_MAX, consumer->config->workers_max);
    add(place, METRIC_WORKERS_STUCK, (double)pool->stuck);
    add_kind(place, METRIC_SCALE_EVENTS, "up", pool->grown);
    add_kind(place, METRIC_SCALE_EVENTS, "down", pool->shrunk);
    add(place, METRIC_STATES_REPLACED, (double)pool->repair.replaced);
    add(place, METRIC_LUA_MEMORY, (double)pool_lua_bytes(pool));
    pool_add_durations(pool, &durations);
    metrics_add_histogram(place->metrics, METRIC_HANDLER_DURATION, &labels, &durations);
}

static void add_group(const struct place *place, const struct consumer *consumer)
{
    const struct rebalance_counts *counts = &consumer->membership.rebalance.counts;
    const struct commit *commit = &consumer->membership.commit;
    add_kind(place, METRIC_REBALANCES, "assign", counts->assigned);
    add_kind(place, METRIC_REBALANCES, "revoke", counts->revoked);
    add_kind(place, METRIC_REBALANCES, "lost", counts->lost);
    add_kind(place, METRIC_COMMITS, "done", commit->done);
    add_kind(place, METRIC_COMMITS, "failed", commit->failed);
}

/* --- partitions --- */

/* A clock that is behind the broker's makes no negative age. */
static double age_s(const struct partition *partition)
{
    int64_t timestamp_ms = offsets_oldest_time(&partition->offsets);
    int64_t age_ms = timestamp_ms > 0 ? clock_wall_ms() - timestamp_ms : 0;
    return age_ms > 0 ? (double)age_ms / 1000 : 0;
}

static void add_partition(const struct place *place, const struct partition *partition)
{
    char number[16];
    snprintf(number, sizeof number, "%d", partition->number);
    const struct metric_labels labels = {{place->consumer, partition->lane->topic, number}};
    int64_t committed = partition_committed(partition);
    int64_t end = partition_end(partition);
    if (committed >= 0)
        metrics_add(place->metrics, METRIC_COMMITTED_OFFSET, &labels, (double)committed);
    if (end >= 0)
        metrics_add(place->metrics, METRIC_END_OFFSET, &labels, (double)end);
    if (committed >= 0 && end >= 0)
        metrics_add(place->metrics, METRIC_LAG_RECORDS, &labels,
                    end > committed ? (double)(end - committed) : 0);
    metrics_add(place->metrics, METRIC_LAG_SECONDS, &labels, age_s(partition));
    metrics_add(place->metrics, METRIC_STALLED, &labels, partition->stall.is_stalled);
}

static void add_partitions(const struct place *place, const struct consumer *consumer)
{
    const struct assignment *assignment = &consumer->assignment;
    size_t assigned = 0, stopped = 0;
    for (const struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        if (partition->epoch == 0)
            continue;
        assigned++;
        stopped += partition->is_stopped;
        add_partition(place, partition);
    }
    add(place, METRIC_PARTITIONS, (double)assigned);
    add(place, METRIC_PARTITIONS_STOPPED, (double)stopped);
}

void consumer_add_metrics(struct consumer *consumer, struct metrics *metrics)
{
    ASSERT_ON(THREAD_MAIN);
    const struct place place = {metrics, consumer->config->name};
    const struct intake *intake = &consumer->assignment.intake;
    const struct consumer_counts counts = consumer_counts(consumer);
    add_counts(&place, &counts);
    add_faults(&place, &intake->faults);
    add_waits(&place, &intake->waits);
    add(&place, METRIC_RUNNING, (double)dispatcher_running_all(&consumer->dispatcher));
    add(&place, METRIC_WINDOW_RECORDS, (double)intake->window.records);
    add(&place, METRIC_WINDOW_BYTES, (double)intake->window.bytes);
    add(&place, METRIC_WINDOW_LIMIT_RECORDS, (double)consumer->config->window_records);
    add(&place, METRIC_WINDOW_LIMIT_BYTES, (double)consumer->config->window_bytes);
    add(&place, METRIC_BREAKER_OPEN, intake->breaker.is_open);
    add(&place, METRIC_PAUSED, intake->is_paused);
    add_pool(&place, consumer);
    add_letters(&place, intake->letters);
    if (!consumer->is_member)
        return;
    metrics_add_client(metrics, METRIC_OF_CONSUMER, place.consumer,
                       &consumer->membership.statistics);
    add_group(&place, consumer);
    add_partitions(&place, consumer);
}

/* --- at a glance --- */

void consumer_add_glance(struct consumer *consumer, struct consumer_glance *sum)
{
    ASSERT_ON(THREAD_MAIN);
    const struct assignment *assignment = &consumer->assignment;
    const struct consumer_counts counts = consumer_counts(consumer);
    sum->is_rebalancing |= !rebalance_is_idle(&consumer->membership.rebalance);
    sum->workers += consumer->pool.running;
    sum->workers_max += (size_t)consumer->config->workers_max;
    sum->running += dispatcher_running_all(&consumer->dispatcher);
    sum->ended += counts.handled + counts.skipped + counts.letters;
    for (size_t i = 0; i < FAULT_COUNT; i++)
        sum->faults += assignment->intake.faults.kinds[i].count;
    for (const struct partition *partition = assignment_first(assignment); partition != NULL;
         partition = assignment_next(assignment, partition)) {
        int64_t ahead = partition_end(partition) - partition_committed(partition);
        if (partition->epoch == 0)
            continue;
        sum->partitions++;
        if (partition_committed(partition) >= 0 && ahead > 0)
            sum->lag += ahead;
    }
}

/* --- readiness --- */

/* Being without partitions is no reason: the group may have more members than partitions. */
void consumer_add_reasons(const struct consumer *consumer, struct buffer *reasons)
{
    const char *name = consumer->config->name;
    if (consumer->state < CONSUMER_RUNNING && consumer->state != CONSUMER_FAILED)
        buffer_format(reasons, "consumer %s is starting\n", name);
    else if (consumer->state != CONSUMER_RUNNING)
        buffer_format(reasons, "consumer %s is stopping\n", name);
    else if (!consumer->membership.rebalance.has_seen_assign)
        buffer_format(reasons, "consumer %s is joining its group\n", name);
    if (consumer->assignment.intake.breaker.is_open)
        buffer_format(
            reasons, "consumer %s: the breaker is open: records are given up one after the other\n",
            name);
    if (consumer->pool.stuck > 0)
        buffer_format(reasons, "consumer %s: %zu of its workers %s stuck in a handler\n", name,
                      consumer->pool.stuck, consumer->pool.stuck == 1 ? "is" : "are");
}

/* metrics.h - every metric of the program, declared once, and their values as text for Prometheus.
 *
 * Whoever has a value adds it in any order; the text has each metric's values in one piece, with
 * its help in front, as the format 0.0.4 wants it. docs/metrics.md is held to the table.
 *
 * Owns:    the text that is being collected.
 * Threads: any; a collection belongs to one.
 * Life:    metrics_init -> metrics_add and the like -> metrics_write -> metrics_destroy. */
#ifndef METRICS_H
#define METRICS_H

#include "histogram.h"
#include "statistics.h"
#include "util.h"

enum metric {
    METRIC_GENERATION,
    METRIC_RELOADS,
    METRIC_FILES_REFUSED,
    METRIC_READY,
    METRIC_RECEIVED,
    METRIC_ENDED,
    METRIC_RETRIES,
    METRIC_DEAD_LETTERS,
    METRIC_JUMPS,
    METRIC_ERRORS,
    METRIC_HANDLER_DURATION,
    METRIC_RECORD_WAIT,
    METRIC_RUNNING,
    METRIC_WINDOW_RECORDS,
    METRIC_WINDOW_BYTES,
    METRIC_WINDOW_LIMIT_RECORDS,
    METRIC_WINDOW_LIMIT_BYTES,
    METRIC_WORKERS,
    METRIC_WORKERS_WANTED,
    METRIC_WORKERS_MAX,
    METRIC_WORKERS_STUCK,
    METRIC_SCALE_EVENTS,
    METRIC_STATES_REPLACED,
    METRIC_LUA_MEMORY,
    METRIC_BREAKER_OPEN,
    METRIC_PAUSED,
    METRIC_PARTITIONS,
    METRIC_PARTITIONS_STOPPED,
    METRIC_STALLED,
    METRIC_REBALANCES,
    METRIC_COMMITS,
    METRIC_LAG_RECORDS,
    METRIC_LAG_SECONDS,
    METRIC_COMMITTED_OFFSET,
    METRIC_END_OFFSET,
    METRIC_PUBLISHED,
    METRIC_OUTSTANDING,
    METRIC_BROKER_CONNECTED,
    METRIC_BROKER_RTT_AVERAGE,
    METRIC_BROKER_RTT_P99,
    METRIC_BROKER_WAITING,
    METRIC_BROKER_ERRORS,
    METRIC_BROKER_TIMEOUTS,
    METRIC_CLIENT_SENT,
    METRIC_CLIENT_RECEIVED,
    METRIC_FETCHED_BYTES,
    METRIC_QUEUED_RECORDS,
    METRIC_QUEUED_BYTES,
    METRIC_SHARED_KEYS,
    METRIC_SHARED_BYTES,
    METRIC_SHARED_LIMIT,
    METRIC_SHARED_EVICTED,
    METRIC_SHARED_REFUSED,
    METRIC_LOG_DROPPED,
    METRIC_CPU,
    METRIC_CPUS,
    METRIC_RESIDENT,
    METRIC_OPEN_FILES,
    METRIC_MAX_FILES,
    METRIC_START_TIME,
    METRIC_COUNT,
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_MAX_LABELS = 3 };

struct metric_info {
    const char *name;
    enum metric_type type;
    const char *labels[METRIC_MAX_LABELS]; /* their names; NULL behind the last */
    const char *help;                      /* one sentence, without backslash and newline */
};

const struct metric_info *metric_info(enum metric metric);
const char *metric_type_name(enum metric_type type);

struct metrics {
    struct buffer samples[METRIC_COUNT]; /* the lines of each */
};

void metrics_init(struct metrics *metrics);
void metrics_destroy(struct metrics *metrics);

/* The values of a metric's labels, as many as it has. */
struct metric_labels {
    const char *values[METRIC_MAX_LABELS];
};

/* labels may be NULL where the metric has none. */
void metrics_add(struct metrics *metrics, enum metric metric, const struct metric_labels *labels,
                 double value);
void metrics_add_histogram(struct metrics *metrics, enum metric metric,
                           const struct metric_labels *labels, const struct histogram_sum *sum);

/* What librdkafka says of a consumer's handle, or of a producer's; nothing before it did. */
enum metric_client { METRIC_OF_CONSUMER, METRIC_OF_PRODUCER };
void metrics_add_client(struct metrics *metrics, enum metric_client role, const char *name,
                        const struct statistics *statistics);

/* Appends all that was collected. A metric without a value is left out. */
void metrics_write(const struct metrics *metrics, struct buffer *out);

#endif

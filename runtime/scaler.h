/* scaler.h - how many workers a consumer wants, by how far it is behind.
 *
 * One for each lag_threshold records of lag, between min and max: up at once, down only to the
 * largest figure of the last 30 s, so that the pool does not follow every breath of the traffic.
 * An unknown lag asks for more where what is known of it does, and never for fewer.
 *
 * Pure: the time is given. Threads: its owner's. */
#ifndef SCALER_H
#define SCALER_H

#include "util.h"

/* For how many seconds a figure is remembered. */
enum { SCALER_MEMORY_S = 30 };

struct scaler_limits {
    size_t min; /* 1 to max */
    size_t max;
    int64_t lag_threshold; /* records, at least 1 */
    bool is_by_partition;  /* one worker a partition is the most that have work */
};

/* What there is to be seen of a consumer at one moment. */
struct scaler_sight {
    int64_t lag; /* records to be read and records read and not settled, as far as it is known */
    bool is_lag_known;
    size_t partitions; /* that this consumer has */
};

/* A second, and the most that was wanted in it. */
struct scaler_figure {
    int64_t second;
    size_t workers;
    int64_t lag;       /* that asked for them */
    size_t partitions; /* that there were then */
};

struct scaler {
    struct scaler_limits limits;
    size_t wanted; /* the last answer */
    struct scaler_figure figures[SCALER_MEMORY_S + 1];
};

/* Wants `min` to begin with. */
void scaler_init(struct scaler *scaler, const struct scaler_limits *limits);

/* Other limits are in force from here on, also for what is remembered. Returns how many workers
 * there should be until the next look. */
size_t scaler_limit(struct scaler *scaler, const struct scaler_limits *limits);

/* How many workers there should be; now_ms never goes back. The reason, for the log, goes to
 * `reason`: "lag 1000, 25 a worker". */
size_t scaler_wanted(struct scaler *scaler, const struct scaler_sight *sight, int64_t now_ms,
                     char *reason, size_t reason_size);

#endif

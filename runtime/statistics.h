/* statistics.h - what librdkafka says of a handle now and then, and the few figures of it that
 * matter.
 *
 * It says all that it knows as JSON, some kilobytes for each partition. That is copied where it
 * comes and read on a helper, so that main is not held up by a consumer of a thousand partitions.
 *
 * Owns:    the figures, and the copy while a helper reads it.
 * Threads: statistics_read on any; the rest on main.
 * Life:    statistics_init -> statistics_take ... -> statistics_destroy, at any time. */
#ifndef STATISTICS_H
#define STATISTICS_H

#include <uv.h>

#include "util.h"

enum { STATISTICS_NAME_BYTES = 320, STATISTICS_MAX_BROKERS = 256 };

/* One that the handle has tried to reach; a coordinator is another connection to its broker. */
struct broker_figures {
    char name[STATISTICS_NAME_BYTES]; /* kafka-1:9092/1 */
    bool is_known;                    /* tried, so that is_connected says something */
    bool is_connected;
    int64_t rtt_average_us; /* of the requests of the last interval, fetches that wait included */
    int64_t rtt_p99_us;
    int64_t waiting; /* requests that are not answered, or not sent */
    int64_t errors;  /* of sending and receiving, ever */
    int64_t timeouts;
};

struct client_figures {
    int64_t sent_bytes;
    int64_t received_bytes;
    int64_t fetched_bytes;  /* of records that nobody has read yet */
    int64_t queued_records; /* to be sent, or not acknowledged */
    int64_t queued_bytes;
    struct broker_figures *brokers;
    size_t broker_count; /* at most STATISTICS_MAX_BROKERS */
};

/* The figures of a text of librdkafka's; what cannot be read of it stays 0. */
void statistics_read(struct client_figures *figures, const char *json, size_t length);
void statistics_free(struct client_figures *figures);

struct statistics {
    uv_loop_t *loop;
    struct client_figures latest;
    int64_t at_ms;              /* clock_monotonic_ms, when they came; 0: none yet */
    struct statistics_job *job; /* NULL: no helper reads */
};

void statistics_init(struct statistics *statistics, uv_loop_t *loop);
void statistics_destroy(struct statistics *statistics);

/* They came. Where a helper still reads the last ones these are left out. */
void statistics_take(struct statistics *statistics, const char *json);

#endif

/* rebalance.h - assignments and revokes: asynchronous, eager and cooperative by one path.
 *
 * An event is kept until it can be answered; the loop goes on turning meanwhile, so the member is
 * not evicted. Events are answered one at a time, in order.
 *
 * Owns:    the events. Borrows the assignment, the commit, the query handle.
 * Threads: main; where an assignment begins is asked on a helper. */
#ifndef REBALANCE_H
#define REBALANCE_H

#include <uv.h>

#include "assignment.h"
#include "commit.h"

enum rebalance_phase {
    REBALANCE_IDLE,
    REBALANCE_RESOLVING,  /* assign: a helper finds out where each partition begins */
    REBALANCE_WAITING,    /* assign: before the helper tries again */
    REBALANCE_DRAINING,   /* revoke: begun handlers and their deliveries may end */
    REBALANCE_COMMITTING, /* revoke: the last commit */
};

struct rebalance_options {
    uv_loop_t *loop;
    struct assignment *assignment;
    struct commit *commit;
    rd_kafka_t *query;   /* another handle, for a helper's questions */
    int64_t max_poll_ms; /* max.poll.interval.ms: what a revoke may take is a part of it */
    void *context;
    void (*on_progress)(void *context); /* on main: rebalance_step can go on */
};

/* Until when (clock_monotonic_ms) a stop waits. */
struct stop_limits {
    int64_t handlers_ms;   /* for handlers to end, those that are interrupted too */
    int64_t deliveries_ms; /* for acknowledgements of what handlers that returned have published */
    int64_t commit_ms;     /* for the answer to the last commit */
};

struct rebalance {
    struct rebalance_options options;
    enum rebalance_phase phase;
    rd_kafka_event_t *event;    /* being answered */
    rd_kafka_event_t **waiting; /* in order */
    size_t waiting_count;
    bool is_lost;        /* the partitions are another's already: nothing is committed */
    bool has_committed;  /* the last commit was sent */
    int64_t deadline_ms; /* of the phase */
    int64_t end_ms;      /* of the whole revoke */
    bool has_seen_assign;
    struct rebalance_counts {
        uint64_t assigned;
        uint64_t revoked;
        uint64_t lost;
    } counts; /* of events */

    bool is_stopping; /* then the limits are those of the stop */
    bool is_closing;  /* then an assignment is not answered any more */
    struct stop_limits stop_limits;
};

void rebalance_init(struct rebalance *rebalance, const struct rebalance_options *options);

/* The events that wait are destroyed unanswered. */
void rebalance_destroy(struct rebalance *rebalance);

/* Takes the event. */
void rebalance_push(struct rebalance *rebalance, rd_kafka_event_t *event);

/* Goes on as far as it can. */
void rebalance_step(struct rebalance *rebalance);

/* Nothing is being answered, and nothing waits for an answer. */
bool rebalance_is_idle(const struct rebalance *rebalance);

/* From here on the limits are those of a stop: handlers that still run at interrupt_ms are
 * interrupted then, and all has an end at end_ms (clock_monotonic_ms). */
void rebalance_stop(struct rebalance *rebalance, int64_t interrupt_ms, int64_t end_ms);

/* rd_kafka_consumer_close_queue was called: answering an assignment can hang the close. */
void rebalance_close(struct rebalance *rebalance);

#endif

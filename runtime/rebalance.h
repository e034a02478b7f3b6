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
#include "drain.h"

enum rebalance_phase {
    REBALANCE_IDLE,
    REBALANCE_RESOLVING, /* assign: a helper finds out where each partition begins */
    REBALANCE_WAITING,   /* assign: before the helper tries again */
    REBALANCE_DRAINING,  /* revoke: until what is in hand is settled and committed */
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

struct rebalance {
    struct rebalance_options options;
    enum rebalance_phase phase;
    rd_kafka_event_t *event;    /* being answered */
    rd_kafka_event_t **waiting; /* in order */
    size_t waiting_count;
    int64_t retry_at_ms; /* while it waits */
    bool has_seen_assign;
    struct rebalance_counts {
        uint64_t assigned;
        uint64_t revoked;
        uint64_t lost;
    } counts; /* of events */

    struct drain drain; /* of a revoke */
    int64_t began_ms;   /* that revoke */
    bool is_lost;       /* the partitions are another's already */

    bool is_stopping; /* then the limits are those of the stop, too */
    bool is_closing;  /* then an assignment is not answered any more */
    struct drain_limits stop_limits;
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

/* From here on no revoke waits longer than this. May be called again with other limits. */
void rebalance_stop(struct rebalance *rebalance, const struct drain_limits *limits);

/* rd_kafka_consumer_close_queue was called: answering an assignment can hang the close. */
void rebalance_close(struct rebalance *rebalance);

#endif

/* membership.h - a consumer's place in its group: the handle, its events, joining and leaving.
 *
 * Owns:    the librdkafka handle and its queue, the commits, the rebalances. Borrows the
 * assignment. Threads: main. librdkafka's threads only call on_event. Life:    membership_init ->
 * membership_join -> membership_stop -> membership_leave until it says that it has left ->
 * membership_destroy. */
#ifndef MEMBERSHIP_H
#define MEMBERSHIP_H

#include "commit.h"
#include "rebalance.h"
#include "statistics.h"

struct membership_options {
    uv_loop_t *loop;
    struct assignment *assignment;
    rd_kafka_t *handle;
    rd_kafka_t *query; /* another handle, for a helper's questions */
    int64_t max_poll_ms;
    bool is_cooperative;
    void *context;
    void (*on_event)(void *context);    /* any thread: membership_serve is due; only a wake-up */
    void (*on_progress)(void *context); /* main: the same, now */
    void (*on_fatal)(void *context, struct error *err); /* main */
};

struct membership {
    struct membership_options options;
    rd_kafka_queue_t *queue;      /* rebalance, commit and error events */
    struct statistics statistics; /* of the handle */
    struct commit commit;
    struct rebalance rebalance;
    bool is_subscribed;
    int64_t resubscribe_at_ms; /* 0: not */
    int64_t joining_since_ms;  /* 0: not joining */
    bool has_said_joining;     /* that this join takes long */
    bool is_stopping;
    struct drain drain; /* of the stop, until it closes */
    bool is_closing;    /* rd_kafka_consumer_close_queue was called */
    int64_t stop_began_ms;
};

/* Takes the handle of the options. */
void membership_init(struct membership *membership, const struct membership_options *options);

/* Subscribes to the consumer's topics. */
void membership_join(struct membership *membership);

/* Serves events and goes on with a rebalance; returns whether there may be more. Has to be called
 * at least every third of max_poll_ms, or the member is thrown out. */
bool membership_serve(struct membership *membership);

/* Commits what is due, unless the member is joining again; a later call does then. */
void membership_commit(struct membership *membership);

/* A revoke is being drained or answered: each end of a handler matters. */
bool membership_is_rebalancing(const struct membership *membership);

/* From here on the limits are those of a stop: drain_limits_of_stop. May be called again with
 * shorter ones. */
void membership_stop(struct membership *membership, int64_t interrupt_ms, int64_t end_ms);

enum leave_state {
    LEAVE_PENDING, /* call again after the next membership_serve */
    LEAVE_DONE,
    LEAVE_BROKEN, /* the handle met a fatal error: it is destroyed without a close */
    LEAVE_UNSAFE, /* this librdkafka cannot close the handle now: leave it to the process's end */
};

/* Leaves the group as far as it can now: gives every partition back, closes. */
enum leave_state membership_leave(struct membership *membership);

/* Gives the handle back, for a helper to destroy: nothing of it is held any more. */
rd_kafka_t *membership_destroy(struct membership *membership);

#endif

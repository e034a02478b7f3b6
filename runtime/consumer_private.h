/* consumer_private.h - what the files of a consumer share: consumer, partition, rebalance, commit.
 *
 * Threads: main, but for the fields that say otherwise. */
#ifndef CONSUMER_PRIVATE_H
#define CONSUMER_PRIVATE_H

#include "consumer.h"
#include "dispatcher.h"
#include "partition.h"
#include "worker.h"

/* One commit is in flight at a time, so that two cannot overtake each other. */
struct commit {
    bool is_in_flight;
    struct commit_entry {
        struct partition *partition;
        uint64_t epoch; /* what the answer is good for */
    } * entries;
    size_t count;
    int64_t warned_at_ms;
};

enum rebalance_phase {
    REBALANCE_IDLE,
    REBALANCE_RESOLVING,  /* assign: a helper finds out where each partition begins */
    REBALANCE_WAITING,    /* assign: before the helper tries again */
    REBALANCE_DRAINING,   /* revoke: begun handlers and their deliveries may end */
    REBALANCE_COMMITTING, /* revoke: the last commit */
};

struct rebalance {
    enum rebalance_phase phase;
    rd_kafka_event_t *event;    /* being answered */
    rd_kafka_event_t **waiting; /* in order */
    size_t waiting_count;
    bool is_lost;
    bool has_committed;  /* the last commit was sent */
    int64_t deadline_ms; /* of the phase */
    int64_t end_ms;      /* of the whole revoke */
    bool has_seen_assign;
};

enum consumer_state {
    CONSUMER_NEW,
    CONSUMER_STARTING, /* a helper makes handle and states */
    CONSUMER_FAILED,   /* it could not start */
    CONSUMER_RUNNING,
    CONSUMER_STOPPING,   /* draining, before the close */
    CONSUMER_CLOSING,    /* rd_kafka_consumer_close_queue was called */
    CONSUMER_RETIRING,   /* closed; workers end */
    CONSUMER_DESTROYING, /* a helper destroys the handle */
    CONSUMER_STOPPED,
};

struct consumer {
    struct consumer_options options;
    const struct consumer_config *config;
    enum consumer_state state;

    rd_kafka_t *handle;
    rd_kafka_queue_t *queue; /* rebalance, commit and error events */
    int64_t max_poll_ms;
    bool is_cooperative;

    uv_async_t wake;    /* any thread */
    uv_timer_t poller;  /* keeps the membership alive, also when nothing happens */
    uv_timer_t ticker;  /* only while records are outstanding */
    uv_timer_t commits; /* commit_interval */
    uv_timer_t resubscriber;
    int open_handles; /* of the loop: until all are closed, the consumer stays */

    struct dispatcher dispatcher;
    struct worker **workers;
    size_t worker_count;
    atomic_size_t workers_exited; /* workers add, main reads */
    size_t partition_count;       /* ever assigned */

    struct link partitions; /* every one ever assigned */
    uint64_t last_epoch;
    struct commit commit;
    struct rebalance rebalance;

    /* The window. */
    size_t unsettled;
    size_t unsettled_bytes;
    size_t active_partitions; /* that have work, for the share of one partition */

    size_t next_read; /* which partition is read first in the next turn */

    bool is_subscribed;
    bool is_leaked; /* its handle cannot be closed safely: the end of the process closes it */
    int64_t stop_began_ms;
    int64_t handlers_deadline_ms; /* of a stop */
    int64_t deadline_ms;
    size_t abandoned; /* handlers that still ran at the end of a stop */
    struct consumer_counts counts;
    char **warned_types; /* unknown types that were said once */
    size_t warned_count;
};

/* consumer.c */
void consumer_turn(struct consumer *consumer);
struct partition *consumer_partition(struct consumer *consumer, const char *topic, int32_t number);
void consumer_warn_unknown_type(struct consumer *consumer, const struct record *record);

/* commit.c */
void commit_start(struct consumer *consumer); /* unless one is in flight or nothing is due */
void commit_on_event(struct consumer *consumer, rd_kafka_event_t *event);
bool commit_is_due(const struct consumer *consumer);
void commit_destroy(struct consumer *consumer);

/* rebalance.c */
void rebalance_on_event(struct consumer *consumer, rd_kafka_event_t *event); /* takes the event */
void rebalance_step(struct consumer *consumer); /* goes on as far as it can */
void rebalance_destroy(struct consumer *consumer);

#endif

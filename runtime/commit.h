/* commit.h - the commits of a consumer: asynchronous, one in flight, their result believed.
 *
 * Owns:    what is in flight. Borrows the assignment, the handle's queue.
 * Threads: main. */
#ifndef COMMIT_H
#define COMMIT_H

#include "assignment.h"

struct commit {
    struct assignment *assignment;
    rd_kafka_queue_t *queue; /* where the answer comes, as RD_KAFKA_EVENT_OFFSET_COMMIT */
    bool is_in_flight;       /* one at a time, so that two cannot overtake each other */
    struct commit_entry {
        struct partition *partition;
        uint64_t epoch; /* what the answer is good for */
    } * entries;
    size_t count;
    uint64_t done; /* how many were answered, and how well */
    uint64_t failed;
    int64_t warned_at_ms;
};

void commit_init(struct commit *commit, struct assignment *assignment, rd_kafka_queue_t *queue);
void commit_destroy(struct commit *commit);

/* Sends the positions that are due, unless none is or a commit is in flight. */
void commit_start(struct commit *commit);

/* The event stays the caller's. */
void commit_on_event(struct commit *commit, rd_kafka_event_t *event);

#endif

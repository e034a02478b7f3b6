/* assignment.h - the partitions of a consumer: those it has now, and those it ever had.
 *
 * Owns:    the partitions. Borrows the dispatcher, which outlives it.
 * Threads: main. */
#ifndef ASSIGNMENT_H
#define ASSIGNMENT_H

#include "intake.h"
#include "partition.h"
#include "scaler.h"

struct assignment {
    struct intake intake;
    struct link partitions; /* every one ever assigned */
    size_t partition_count;
    size_t next_read; /* which partition is read first in the next turn */
    int64_t reminded_ms;
};

/* The rest as in intake_init. */
void assignment_init(struct assignment *assignment, const struct consumer_config *config,
                     struct dispatcher *dispatcher, void (*on_ready)(void *context), void *context);

/* No partition is assigned any more. */
void assignment_destroy(struct assignment *assignment);

/* The partition, made when it is new. */
struct partition *assignment_find(struct assignment *assignment, const char *topic, int32_t number);

/* For a walk over the partitions: the first one, the one after; NULL at the end. */
struct partition *assignment_first(const struct assignment *assignment);
struct partition *assignment_next(const struct assignment *assignment,
                                  const struct partition *partition);

/* What has ended since the last time finds its partition. */
void assignment_collect(struct assignment *assignment);

/* Records whose time has come run again. */
void assignment_retry(struct assignment *assignment, int64_t now_ms);

/* Reads of every partition that has something, in turn; each call begins with another. Returns
 * whether there is more to read now. */
bool assignment_read(struct assignment *assignment);

/* By an operator: nothing is read and nothing begins until assignment_unpause, of partitions that
 * come meanwhile neither. What has begun ends. */
void assignment_pause(struct assignment *assignment);
void assignment_unpause(struct assignment *assignment);

/* What the scaler goes by. */
struct scaler_sight assignment_sight(const struct assignment *assignment);

/* Names every partition that is stopped, unless it did so within the last minute. */
void assignment_remind(struct assignment *assignment);

/* Some partition is assigned. */
bool assignment_is_any(const struct assignment *assignment);

/* As partition_drain, of every partition. */
void assignment_drain_all(struct assignment *assignment);

/* Nothing more is read or started, of any partition. */
void assignment_revoke_all(struct assignment *assignment);

#endif

/* retries.h - when a record that failed runs again.
 *
 * The schedule holds records that wait for their retry, the earliest first. They are kept heads of
 * their strands meanwhile: a waiting retry holds back its strand, not a worker.
 *
 * Pure: the clock's time and the random number are given. Owns: the schedule, no record.
 * Threads: main. */
#ifndef RETRIES_H
#define RETRIES_H

#include "config.h"
#include "record.h"
#include "util.h"

struct retry {
    int64_t due_ms;
    uint64_t order; /* among those of one moment the first to come is the first to go */
    struct record *record;
};

struct retries {
    struct retry *heap; /* record->retry_place says where in it, from 1 */
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

/* How long a record waits that has failed `failures` times: the backoff doubles with each, up to
 * max_backoff. `random`, from 0 to below 1, is what jitter takes of its second half, so that
 * records that failed together do not come back together. */
int64_t retries_delay_ms(const struct error_policy *policy, int failures, double random);

void retries_init(struct retries *retries);

/* Nothing may wait in it. */
void retries_destroy(struct retries *retries);

/* The record, which is on no schedule, waits until due_ms. */
void retries_add(struct retries *retries, struct record *record, int64_t due_ms);

/* The record waits no longer, if it did. */
void retries_remove(struct retries *retries, struct record *record);

/* The earliest record, removed, when it is due at now_ms; else NULL. */
struct record *retries_pop(struct retries *retries, int64_t now_ms);

/* The lowest offset of those that wait of this partition, in this epoch; INT64_MAX: none does. */
int64_t retries_first_offset(const struct retries *retries, const struct partition *owner,
                             uint64_t epoch);

/* When the earliest is due; INT64_MAX when none waits. */
int64_t retries_next_ms(const struct retries *retries);

#endif

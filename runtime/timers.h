/* timers.h - which of a worker's waiting calls is due next.
 *
 * A binary heap of small numbers (the calls' indices), ordered by deadline, then by the order in
 * which they began to wait.
 *
 * Pure. Threads: its owner's. */
#ifndef TIMERS_H
#define TIMERS_H

#include "util.h"

struct timer {
    int64_t deadline_ms;
    uint64_t order;
    size_t index;
};

struct timers {
    struct timer *heap;
    size_t count;
    size_t capacity;
    uint64_t next_order;
};

void timers_init(struct timers *timers);
void timers_destroy(struct timers *timers);

void timers_add(struct timers *timers, int64_t deadline_ms, size_t index);

/* The earliest deadline; INT64_MAX when nothing waits. */
int64_t timers_next_ms(const struct timers *timers);

/* Removes the earliest when it is due at now_ms; false when none is. */
bool timers_pop_due(struct timers *timers, int64_t now_ms, size_t *index);

/* Nobody waits any more. */
void timers_clear(struct timers *timers);

#endif

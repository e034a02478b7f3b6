/* pool_shaker.h - a random number of workers every few milliseconds, in place of what the lag asks
 * for: with it specs see in a minute what traffic would do in a month.
 *
 * Only where the variable LAGOON_SPEC_RESIZE_MS says how often.
 *
 * Threads: main. */
#ifndef POOL_SHAKER_H
#define POOL_SHAKER_H

#include "util.h"

struct pool_shaker {
    int64_t interval_ms; /* 0: it does nothing */
    int64_t due_ms;
    uint64_t random;
};

void pool_shaker_init(struct pool_shaker *shaker);

bool pool_shaker_is_active(const struct pool_shaker *shaker);

/* When it is due: a number between min and max. */
bool pool_shaker_draw(struct pool_shaker *shaker, size_t min, size_t max, size_t *wanted);

#endif

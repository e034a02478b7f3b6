/* pool_stuck.h - workers that do not end what they were asked to end, and those that take their
 * places: they have slots beside those of the limits.
 *
 * Threads: main. */
#ifndef POOL_STUCK_H
#define POOL_STUCK_H

#include "scaler.h"

struct pool;

/* The slots of a pool with these limits: so many workers, and replacements for stuck ones, half as
 * many and at least one. */
size_t pool_slots_of(const struct scaler_limits *limits);

/* Sets workers aside that became stuck, and brings back those that are not any more. Cheap when
 * nothing changed. */
void pool_look_for_stuck(struct pool *pool);

#endif

/* histogram.h - how often something took how long, counted by one thread and read by another.
 *
 * A note costs no lock and no read-modify-write: only its thread writes.
 *
 * Threads: histogram_note on the one that writes; the rest on any. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdatomic.h>

#include "util.h"

enum { HISTOGRAM_BOUNDS = 14 };

/* Upper bounds of the buckets, each included; what is longer is in one more. */
extern const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS];

struct histogram {
    atomic_uint_fast64_t counts[HISTOGRAM_BOUNDS + 1];
    atomic_uint_fast64_t total_us;
};

void histogram_note(struct histogram *histogram, int64_t duration_us);

/* Those of several threads together. */
struct histogram_sum {
    uint64_t counts[HISTOGRAM_BOUNDS + 1];
    uint64_t total_us;
};

void histogram_add(struct histogram_sum *sum, const struct histogram *histogram);

#endif

#include "histogram.h"

const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
    100,    500,    1000,    2500,    5000,     10000,    25000,
    100000, 250000, 1000000, 2500000, 10000000, 30000000, 120000000,
};

static void increase(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

void histogram_note(struct histogram *histogram, int64_t duration_us)
{
    size_t bucket = 0;
    while (bucket < HISTOGRAM_BOUNDS && duration_us > histogram_bounds_us[bucket])
        bucket++;
    increase(&histogram->counts[bucket], 1);
    increase(&histogram->total_us, duration_us > 0 ? (uint64_t)duration_us : 0);
}

void histogram_add(struct histogram_sum *sum, const struct histogram *histogram)
{
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
        sum->counts[i] += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    sum->total_us += atomic_load_explicit(&histogram->total_us, memory_order_relaxed);
}

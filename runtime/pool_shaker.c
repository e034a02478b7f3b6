#include "pool_shaker.h"

#include <stdlib.h>

void pool_shaker_init(struct pool_shaker *shaker)
{
    const char *interval_ms = getenv("LAGOON_SPEC_RESIZE_MS");
    *shaker = (struct pool_shaker){
        .interval_ms = interval_ms != NULL ? atoi(interval_ms) : 0,
        .random = (uint64_t)clock_monotonic_ns() | 1,
    };
}

bool pool_shaker_is_active(const struct pool_shaker *shaker)
{
    return shaker->interval_ms > 0;
}

/* xorshift */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

bool pool_shaker_draw(struct pool_shaker *shaker, size_t min, size_t max, size_t *wanted)
{
    if (!pool_shaker_is_active(shaker))
        return false;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < shaker->due_ms)
        return false;
    shaker->due_ms = now_ms + shaker->interval_ms;
    *wanted = min + (size_t)(draw(&shaker->random) % (max - min + 1));
    return true;
}

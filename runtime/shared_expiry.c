#include "shared_expiry.h"

#include <stdlib.h>

void shared_expiry_destroy(struct shared_expiry *expiry)
{
    free(expiry->heap);
    *expiry = (struct shared_expiry){0};
}

static void put(struct shared_expiry *expiry, size_t place, struct expiring *expiring)
{
    expiry->heap[place] = expiring;
    expiring->place = place;
}

static void rise(struct shared_expiry *expiry, size_t place, struct expiring *expiring)
{
    while (place > 0 && expiring->at_ms < expiry->heap[(place - 1) / 2]->at_ms) {
        put(expiry, place, expiry->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(expiry, place, expiring);
}

static void sink(struct shared_expiry *expiry, size_t place, struct expiring *expiring)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < expiry->count &&
            expiry->heap[child + 1]->at_ms < expiry->heap[child]->at_ms)
            child++;
        if (child >= expiry->count || expiry->heap[child]->at_ms >= expiring->at_ms)
            break;
        put(expiry, place, expiry->heap[child]);
        place = child;
    }
    put(expiry, place, expiring);
}

void shared_expiry_add(struct shared_expiry *expiry, struct expiring *expiring, int64_t at_ms)
{
    if (expiry->count == expiry->capacity) {
        expiry->capacity = expiry->capacity > 0 ? expiry->capacity * 2 : 16;
        expiry->heap = xrealloc(expiry->heap, expiry->capacity * sizeof expiry->heap[0]);
    }
    expiring->at_ms = at_ms;
    rise(expiry, expiry->count++, expiring);
}

void shared_expiry_remove(struct shared_expiry *expiry, struct expiring *expiring)
{
    size_t place = expiring->place;
    if (place == SHARED_NOWHERE)
        return;
    expiring->place = SHARED_NOWHERE;
    struct expiring *last = expiry->heap[--expiry->count];
    if (last == expiring)
        return;
    sink(expiry, place, last);
    rise(expiry, last->place, last);
}

struct expiring *shared_expiry_due(const struct shared_expiry *expiry, int64_t now_ms)
{
    bool is_due = expiry->count > 0 && expiry->heap[0]->at_ms <= now_ms;
    return is_due ? expiry->heap[0] : NULL;
}

#include "timers.h"

#include <stdlib.h>

void timers_init(struct timers *timers)
{
    *timers = (struct timers){0};
}

void timers_destroy(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}

static bool is_before(const struct timer *a, const struct timer *b)
{
    if (a->deadline_ms != b->deadline_ms)
        return a->deadline_ms < b->deadline_ms;
    return a->order < b->order;
}

static void swap(struct timer *a, struct timer *b)
{
    struct timer kept = *a;
    *a = *b;
    *b = kept;
}

void timers_add(struct timers *timers, int64_t deadline_ms, size_t index)
{
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity > 0 ? timers->capacity * 2 : 16;
        timers->heap = xrealloc(timers->heap, timers->capacity * sizeof timers->heap[0]);
    }
    size_t place = timers->count++;
    timers->heap[place] = (struct timer){deadline_ms, timers->next_order++, index};
    while (place > 0 && is_before(&timers->heap[place], &timers->heap[(place - 1) / 2])) {
        swap(&timers->heap[place], &timers->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
}

int64_t timers_next_ms(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0].deadline_ms : INT64_MAX;
}

static void sink(struct timers *timers, size_t place)
{
    for (;;) {
        size_t least = place;
        for (size_t child = 2 * place + 1; child <= 2 * place + 2 && child < timers->count; child++)
            if (is_before(&timers->heap[child], &timers->heap[least]))
                least = child;
        if (least == place)
            return;
        swap(&timers->heap[place], &timers->heap[least]);
        place = least;
    }
}

bool timers_pop_due(struct timers *timers, int64_t now_ms, size_t *index)
{
    if (timers_next_ms(timers) > now_ms)
        return false;
    *index = timers->heap[0].index;
    timers->heap[0] = timers->heap[--timers->count];
    sink(timers, 0);
    return true;
}

void timers_clear(struct timers *timers)
{
    timers->count = 0;
}

#include "retries.h"

#include <assert.h>
#include <stdlib.h>

enum { INITIAL_CAPACITY = 16 };

int64_t retries_delay_ms(const struct error_policy *policy, int failures, double random)
{
    int64_t delay_ms = policy->backoff_ms;
    for (int i = 1; i < failures && delay_ms < policy->max_backoff_ms; i++)
        delay_ms *= 2;
    if (delay_ms > policy->max_backoff_ms)
        delay_ms = policy->max_backoff_ms;
    int64_t half_ms = delay_ms / 2;
    return policy->has_jitter ? delay_ms - half_ms + (int64_t)(random * (double)half_ms) : delay_ms;
}

void retries_init(struct retries *retries)
{
    *retries = (struct retries){0};
}

void retries_destroy(struct retries *retries)
{
    assert(retries->count == 0);
    free(retries->heap);
    retries->heap = NULL;
}

static bool is_before(const struct retry *a, const struct retry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct retries *retries, size_t index, struct retry retry)
{
    retries->heap[index] = retry;
    retry.record->retry_place = index + 1;
}

/* The retry goes to the place `index`, which is free, or to one of its ancestors'. */
static void sift_up(struct retries *retries, size_t index, struct retry retry)
{
    while (index > 0 && is_before(&retry, &retries->heap[(index - 1) / 2])) {
        put(retries, index, retries->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    put(retries, index, retry);
}

/* The same towards the leaves. */
static void sift_down(struct retries *retries, size_t index, struct retry retry)
{
    for (size_t child; (child = 2 * index + 1) < retries->count; index = child) {
        if (child + 1 < retries->count &&
            is_before(&retries->heap[child + 1], &retries->heap[child]))
            child++;
        if (!is_before(&retries->heap[child], &retry))
            break;
        put(retries, index, retries->heap[child]);
    }
    put(retries, index, retry);
}

void retries_add(struct retries *retries, struct record *record, int64_t due_ms)
{
    assert(record->retry_place == 0);
    if (retries->count == retries->capacity) {
        retries->capacity = retries->capacity > 0 ? retries->capacity * 2 : INITIAL_CAPACITY;
        retries->heap = xrealloc(retries->heap, retries->capacity * sizeof retries->heap[0]);
    }
    sift_up(retries, retries->count++, (struct retry){due_ms, retries->next_order++, record});
}

/* The last one takes the freed place, from where it may have to go either way. */
void retries_remove(struct retries *retries, struct record *record)
{
    if (record->retry_place == 0)
        return;
    size_t index = record->retry_place - 1;
    record->retry_place = 0;
    struct retry last = retries->heap[--retries->count];
    if (index == retries->count)
        return;
    sift_down(retries, index, last);
    index = last.record->retry_place - 1;
    sift_up(retries, index, last);
}

struct record *retries_pop(struct retries *retries, int64_t now_ms)
{
    if (retries->count == 0 || retries->heap[0].due_ms > now_ms)
        return NULL;
    struct record *record = retries->heap[0].record;
    retries_remove(retries, record);
    return record;
}

int64_t retries_first_offset(const struct retries *retries, const struct partition *owner,
                             uint64_t epoch)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < retries->count; i++) {
        const struct record *record = retries->heap[i].record;
        if (record->owner == owner && record->epoch == epoch && record->offset < first)
            first = record->offset;
    }
    return first;
}

int64_t retries_next_ms(const struct retries *retries)
{
    return retries->count > 0 ? retries->heap[0].due_ms : INT64_MAX;
}

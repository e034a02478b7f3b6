#include "run_queue.h"

#include <assert.h>
#include <stdlib.h>

enum { INITIAL_CAPACITY = 64 };

void run_queue_init(struct run_queue *queue)
{
    *queue = (struct run_queue){.ring_capacity = INITIAL_CAPACITY};
    queue->ring = xmalloc(queue->ring_capacity * sizeof queue->ring[0]);
}

void run_queue_destroy(struct run_queue *queue)
{
    assert(queue->length == 0);
    free(queue->ring);
    free(queue->heap);
    *queue = (struct run_queue){0};
}

/* The entry goes to the place `index`, which is free, or to one of its ancestors'. */
static void sift_up(struct run_queue *queue, size_t index, struct run_queue_entry entry)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (queue->heap[parent].turn <= entry.turn)
            break;
        queue->heap[index] = queue->heap[parent];
        index = parent;
    }
    queue->heap[index] = entry;
}

/* The same towards the leaves. */
static void sift_down(struct run_queue *queue, size_t index, struct run_queue_entry entry)
{
    for (size_t child; (child = 2 * index + 1) < queue->heap_count; index = child) {
        if (child + 1 < queue->heap_count && queue->heap[child + 1].turn < queue->heap[child].turn)
            child++;
        if (entry.turn <= queue->heap[child].turn)
            break;
        queue->heap[index] = queue->heap[child];
    }
    queue->heap[index] = entry;
}

static struct record *heap_pop(struct run_queue *queue)
{
    struct record *first = queue->heap[0].record;
    struct run_queue_entry last = queue->heap[--queue->heap_count];
    if (queue->heap_count > 0)
        sift_down(queue, 0, last);
    return first;
}

static struct run_queue_entry *ring_at(const struct run_queue *queue, size_t index)
{
    return &queue->ring[(queue->ring_first + index) & (queue->ring_capacity - 1)];
}

static void ring_grow(struct run_queue *queue)
{
    struct run_queue_entry *ring = xmalloc(2 * queue->ring_capacity * sizeof ring[0]);
    for (size_t i = 0; i < queue->ring_count; i++)
        ring[i] = *ring_at(queue, i);
    free(queue->ring);
    queue->ring = ring;
    queue->ring_capacity *= 2;
    queue->ring_first = 0;
}

void run_queue_append(struct run_queue *queue, struct record *record)
{
    if (queue->ring_count == queue->ring_capacity)
        ring_grow(queue);
    *ring_at(queue, queue->ring_count++) =
        (struct run_queue_entry){record->turn, record->lane, record};
    queue->length++;
}

void run_queue_insert(struct run_queue *queue, struct record *record)
{
    if (queue->heap_count == queue->heap_capacity) {
        queue->heap_capacity =
            queue->heap_capacity > 0 ? queue->heap_capacity * 2 : INITIAL_CAPACITY;
        queue->heap = xrealloc(queue->heap, queue->heap_capacity * sizeof queue->heap[0]);
    }
    sift_up(queue, queue->heap_count++,
            (struct run_queue_entry){record->turn, record->lane, record});
    queue->length++;
}

struct record *run_queue_pop(struct run_queue *queue)
{
    if (queue->length == 0)
        return NULL;
    queue->length--;
    const struct run_queue_entry *first = ring_at(queue, 0);
    if (queue->ring_count == 0 || (queue->heap_count > 0 && queue->heap[0].turn < first->turn))
        return heap_pop(queue);
    queue->ring_first++;
    queue->ring_count--;
    return first->record;
}

const struct record *run_queue_peek(const struct run_queue *queue, size_t distance)
{
    return distance < queue->ring_count ? ring_at(queue, distance)->record : NULL;
}

static bool is_removed(const struct run_queue_entry *entry, const struct lane *lane, int64_t from,
                       struct link *removed)
{
    if (entry->lane != lane || entry->record->offset < from)
        return false;
    list_append(removed, &entry->record->queue_link);
    return true;
}

static void ring_remove_lane(struct run_queue *queue, const struct lane *lane, int64_t from,
                             struct link *removed)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->ring_count; i++) {
        const struct run_queue_entry *entry = ring_at(queue, i);
        if (!is_removed(entry, lane, from, removed))
            *ring_at(queue, kept++) = *entry;
    }
    queue->ring_count = kept;
}

static void heap_remove_lane(struct run_queue *queue, const struct lane *lane, int64_t from,
                             struct link *removed)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->heap_count; i++) {
        if (!is_removed(&queue->heap[i], lane, from, removed))
            queue->heap[kept++] = queue->heap[i];
    }
    if (kept == queue->heap_count)
        return;
    queue->heap_count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(queue, i, queue->heap[i]);
}

void run_queue_remove_lane(struct run_queue *queue, const struct lane *lane, int64_t from,
                           struct link *removed)
{
    ring_remove_lane(queue, lane, from, removed);
    heap_remove_lane(queue, lane, from, removed);
    queue->length = queue->ring_count + queue->heap_count;
}

#include "run_queue.h"

#include <assert.h>
#include <stdlib.h>

enum { INITIAL_CAPACITY = 64 };

void run_queue_init(struct run_queue *queue)
{
    *queue = (struct run_queue){0};
    list_init(&queue->list);
}

void run_queue_destroy(struct run_queue *queue)
{
    assert(queue->length == 0);
    free(queue->heap);
    queue->heap = NULL;
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

void run_queue_append(struct run_queue *queue, struct record *record)
{
    list_append(&queue->list, &record->queue_link);
    queue->length++;
}

void run_queue_insert(struct run_queue *queue, struct record *record)
{
    if (queue->heap_count == queue->heap_capacity) {
        queue->heap_capacity =
            queue->heap_capacity > 0 ? queue->heap_capacity * 2 : INITIAL_CAPACITY;
        queue->heap = xrealloc(queue->heap, queue->heap_capacity * sizeof queue->heap[0]);
    }
    sift_up(queue, queue->heap_count++, (struct run_queue_entry){record->turn, record});
    queue->length++;
}

struct record *run_queue_pop(struct run_queue *queue)
{
    if (queue->length == 0)
        return NULL;
    queue->length--;
    struct record *first = record_of_queue(queue->list.next);
    bool is_listed = !list_is_empty(&queue->list);
    if (!is_listed || (queue->heap_count > 0 && queue->heap[0].turn < first->turn))
        return heap_pop(queue);
    list_remove(&first->queue_link);
    return first;
}

static void heap_remove_lane(struct run_queue *queue, const struct lane *lane, int64_t from)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->heap_count; i++) {
        const struct record *record = queue->heap[i].record;
        if (record->lane != lane || record->offset < from)
            queue->heap[kept++] = queue->heap[i];
    }
    if (kept == queue->heap_count)
        return;
    queue->heap_count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(queue, i, queue->heap[i]);
}

/* One that is in the heap is on no list, so list_remove does nothing to it. */
void run_queue_remove_lane(struct run_queue *queue, struct lane *lane, int64_t from)
{
    heap_remove_lane(queue, lane, from);
    for (struct link *link = lane->records.next; link != &lane->records; link = link->next) {
        struct record *record = record_of_lane(link);
        if (record->state != RECORD_RUNNABLE || record->offset < from)
            continue;
        list_remove(&record->queue_link);
        queue->length--;
    }
}

#include "offsets.h"

#include <assert.h>
#include <stdlib.h>

enum { INITIAL_CAPACITY = 64 };

void offsets_init(struct offsets *offsets, int64_t start, int64_t committed)
{
    *offsets = (struct offsets){
        .capacity = INITIAL_CAPACITY,
        .position = start,
        .committed = committed,
        .delivered = start,
    };
    offsets->ring = xmalloc(offsets->capacity * sizeof offsets->ring[0]);
}

void offsets_destroy(struct offsets *offsets)
{
    free(offsets->ring);
    *offsets = (struct offsets){0};
}

static struct offsets_entry *entry_at(const struct offsets *offsets, uint64_t slot)
{
    return &offsets->ring[slot & (offsets->capacity - 1)];
}

/* Doubles the ring. A slot keeps its number; only its place changes. */
static void offsets_grow(struct offsets *offsets)
{
    struct offsets before = *offsets;
    offsets->capacity *= 2;
    offsets->ring = xmalloc(offsets->capacity * sizeof offsets->ring[0]);
    for (uint64_t slot = before.head; slot != before.tail; slot++)
        *entry_at(offsets, slot) = *entry_at(&before, slot);
    free(before.ring);
}

uint64_t offsets_add(struct offsets *offsets, int64_t offset)
{
    assert(offset >= offsets->delivered);
    if (offsets->tail - offsets->head == offsets->capacity)
        offsets_grow(offsets);
    uint64_t slot = offsets->tail++;
    *entry_at(offsets, slot) = (struct offsets_entry){.offset = offset};
    offsets->delivered = offset + 1;
    return slot;
}

void offsets_settle(struct offsets *offsets, uint64_t slot)
{
    assert(slot >= offsets->head && slot < offsets->tail);
    struct offsets_entry *entry = entry_at(offsets, slot);
    assert(!entry->is_settled);
    entry->is_settled = true;
    offsets->settled++;
    while (offsets->head != offsets->tail && entry_at(offsets, offsets->head)->is_settled) {
        offsets->position = entry_at(offsets, offsets->head)->offset + 1;
        offsets->head++;
        offsets->settled--;
    }
}

void offsets_skip_to(struct offsets *offsets, int64_t position)
{
    if (offsets->head != offsets->tail || position <= offsets->position)
        return;
    offsets->position = position;
    offsets->delivered = position;
}

void offsets_mark_committed(struct offsets *offsets, int64_t position)
{
    if (position > offsets->committed)
        offsets->committed = position;
}

bool offsets_is_commit_due(const struct offsets *offsets)
{
    return offsets->position > offsets->committed;
}

size_t offsets_unsettled(const struct offsets *offsets)
{
    return (size_t)(offsets->tail - offsets->head) - offsets->settled;
}

size_t offsets_ahead(const struct offsets *offsets)
{
    return offsets->settled;
}

int64_t offsets_oldest(const struct offsets *offsets)
{
    return offsets->head == offsets->tail ? -1 : entry_at(offsets, offsets->head)->offset;
}

size_t offsets_bytes(size_t entries)
{
    size_t capacity = INITIAL_CAPACITY;
    while (capacity < entries)
        capacity *= 2;
    return capacity * sizeof(struct offsets_entry);
}

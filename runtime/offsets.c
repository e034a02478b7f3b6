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
        .next = start,
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
    offsets->next = offset + 1;
    return slot;
}

void offsets_note_time(struct offsets *offsets, uint64_t slot, int64_t timestamp_ms)
{
    entry_at(offsets, slot)->timestamp_ms = timestamp_ms > 0 ? timestamp_ms : 0;
}

/* Its record, which was not settled, is. */
static void settle_slot(struct offsets *offsets, uint64_t slot)
{
    struct offsets_entry *entry = entry_at(offsets, slot);
    assert(entry->state != OFFSET_SETTLED);
    offsets->given_back -= entry->state != OFFSET_IN_HAND;
    entry->state = OFFSET_SETTLED;
    offsets->settled++;
    while (offsets->head != offsets->tail &&
           entry_at(offsets, offsets->head)->state == OFFSET_SETTLED) {
        offsets->position = entry_at(offsets, offsets->head)->offset + 1;
        offsets->head++;
        offsets->settled--;
    }
}

void offsets_settle(struct offsets *offsets, uint64_t slot)
{
    assert(slot >= offsets->head && slot < offsets->tail);
    assert(entry_at(offsets, slot)->state == OFFSET_IN_HAND);
    settle_slot(offsets, slot);
}

void offsets_give_back(struct offsets *offsets, uint64_t slot, enum offset_state state)
{
    struct offsets_entry *entry = entry_at(offsets, slot);
    assert(slot >= offsets->head && slot < offsets->tail && entry->state == OFFSET_IN_HAND);
    assert(state == OFFSET_GIVEN_BACK || state == OFFSET_FAILED);
    entry->state = state;
    offsets->given_back++;
}

/* The first slot from head on whose offset is not below `offset`; tail when there is none. */
static uint64_t slot_from(const struct offsets *offsets, int64_t offset)
{
    uint64_t low = offsets->head, high = offsets->tail;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (entry_at(offsets, middle)->offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_given_back(const struct offsets *offsets, uint64_t slot)
{
    int64_t state = entry_at(offsets, slot)->state;
    return state == OFFSET_GIVEN_BACK || state == OFFSET_FAILED;
}

int64_t offsets_first_given_back(const struct offsets *offsets)
{
    if (offsets->given_back == 0)
        return INT64_MAX;
    uint64_t slot = offsets->head;
    while (!is_given_back(offsets, slot))
        slot++;
    return entry_at(offsets, slot)->offset;
}

int64_t offsets_read_again(struct offsets *offsets)
{
    int64_t first = offsets_first_given_back(offsets);
    offsets->next = first < offsets->delivered ? first : offsets->delivered;
    return offsets->next;
}

/* Settles what was given back and stands from the reader's place to before `offset`. By its end
 * the head may stand behind slots that were still to be looked at: those are settled. */
static size_t settle_gone(struct offsets *offsets, int64_t offset)
{
    size_t gone = 0;
    uint64_t slot = slot_from(offsets, offsets->next);
    uint64_t end = slot_from(offsets, offset);
    for (; offsets->given_back > 0 && slot < end; slot++) {
        if (slot < offsets->head || !is_given_back(offsets, slot))
            continue;
        settle_slot(offsets, slot);
        gone++;
    }
    return gone;
}

size_t offsets_settle_removed(struct offsets *offsets, int64_t before)
{
    if (!offsets_is_reading_again(offsets) || before <= offsets->next)
        return 0;
    size_t gone = settle_gone(offsets, before);
    offsets->next = before < offsets->delivered ? before : offsets->delivered;
    return gone;
}

/* Of a record that was delivered before. */
static enum offsets_meeting meet_again(struct offsets *offsets, int64_t offset, uint64_t *slot)
{
    *slot = slot_from(offsets, offset);
    bool is_known = *slot != offsets->tail && entry_at(offsets, *slot)->offset == offset;
    if (offset < offsets->position)
        return OFFSETS_KNOWN;
    if (!is_known)
        return OFFSETS_WENT_BACK;
    if (!is_given_back(offsets, *slot))
        return OFFSETS_KNOWN;
    entry_at(offsets, *slot)->state = OFFSET_IN_HAND;
    offsets->given_back--;
    return OFFSETS_AGAIN;
}

bool offsets_is_reading_again(const struct offsets *offsets)
{
    return offsets->next < offsets->delivered;
}

enum offsets_meeting offsets_meet(struct offsets *offsets, int64_t offset, uint64_t *slot,
                                  size_t *gone)
{
    if (offset < offsets->next)
        return OFFSETS_WENT_BACK;
    if (offsets_is_reading_again(offsets))
        *gone += settle_gone(offsets, offset);
    offsets->next = offset + 1;
    return offset < offsets->delivered ? meet_again(offsets, offset, slot) : OFFSETS_NEW;
}

bool offsets_skip_failed(struct offsets *offsets, int64_t offset)
{
    uint64_t slot = slot_from(offsets, offset);
    if (slot == offsets->tail || entry_at(offsets, slot)->offset != offset ||
        entry_at(offsets, slot)->state != OFFSET_FAILED)
        return false;
    settle_slot(offsets, slot);
    return true;
}

void offsets_skip_to(struct offsets *offsets, int64_t position)
{
    if (offsets->head != offsets->tail || position <= offsets->position)
        return;
    offsets->position = position;
    offsets->delivered = position;
    offsets->next = position;
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

int64_t offsets_oldest_time(const struct offsets *offsets)
{
    return offsets->head == offsets->tail ? 0 : entry_at(offsets, offsets->head)->timestamp_ms;
}

size_t offsets_bytes(size_t entries)
{
    size_t capacity = INITIAL_CAPACITY;
    while (capacity < entries)
        capacity *= 2;
    return capacity * sizeof(struct offsets_entry);
}

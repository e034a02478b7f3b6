/* offsets.h - which records of one partition are settled, and how far that allows a commit.
 *
 * Records enter in the order they are delivered; offsets may have holes (compaction, transaction
 * markers), so the end of the longest settled prefix is found by order, never by arithmetic.
 * A tracker belongs to one epoch of one partition: a new assignment begins a new tracker.
 *
 * Pure: no clock, no socket. Threads: main. */
#ifndef OFFSETS_H
#define OFFSETS_H

#include "util.h"

/* 16 bytes a record: the memory behind max_ahead. */
struct offsets_entry {
    int64_t offset;
    int64_t is_settled;
};

struct offsets {
    struct offsets_entry *ring; /* capacity is a power of two */
    size_t capacity;
    uint64_t head;     /* slot of the oldest record that is not settled */
    uint64_t tail;     /* slot of the next record */
    size_t settled;    /* between head and tail */
    int64_t position;  /* what may be committed: the offset after the settled prefix */
    int64_t committed; /* what the broker has acknowledged; -1: nothing that we know of */
    int64_t delivered; /* the offset after the last record that entered; the start before */
};

/* `start` is the offset of the first record to be read; `committed` is start when the group has it
 * committed already, else -1. */
void offsets_init(struct offsets *offsets, int64_t start, int64_t committed);
void offsets_destroy(struct offsets *offsets);

/* A record was delivered. Its offset is not below offsets->delivered. Returns its slot. */
uint64_t offsets_add(struct offsets *offsets, int64_t offset);

/* The record of that slot is settled; once for each slot. */
void offsets_settle(struct offsets *offsets, uint64_t slot);

/* With nothing unsettled, moves the position over offsets that hold no record (transaction
 * markers, compaction). Ignored when anything is unsettled or position is not ahead. */
void offsets_skip_to(struct offsets *offsets, int64_t position);

/* The broker acknowledged a commit of `position`. */
void offsets_mark_committed(struct offsets *offsets, int64_t position);

/* There is something to commit: the position. */
bool offsets_is_commit_due(const struct offsets *offsets);

size_t offsets_unsettled(const struct offsets *offsets);

/* Settled records that wait for an older one. */
size_t offsets_ahead(const struct offsets *offsets);

/* The offset of the oldest unsettled record; -1 when all are settled. */
int64_t offsets_oldest(const struct offsets *offsets);

/* What so many entries at once make the ring take at most; for a moment, while it doubles, half as
 * much more. */
size_t offsets_bytes(size_t entries);

#endif

/* offsets.h - which records of one partition are settled, and how far that allows a commit.
 *
 * Records enter in the order they are delivered; offsets may have holes (compaction, transaction
 * markers), so the end of the longest settled prefix is found by order, never by arithmetic.
 * A tracker belongs to one epoch of one partition: a new assignment begins a new tracker.
 *
 * A record that was given back unsettled holds back the commit like one in hand. When its partition
 * is read again, what is delivered a second time finds its slot here, so that nothing that is
 * settled or in hand is handled twice, and what was given back is handled in its place.
 *
 * Pure: no clock, no socket. Threads: main. */
#ifndef OFFSETS_H
#define OFFSETS_H

#include "util.h"

enum offset_state {
    OFFSET_IN_HAND, /* its record is somebody's */
    OFFSET_SETTLED,
    OFFSET_GIVEN_BACK, /* nobody's, until it is read again */
    OFFSET_FAILED,     /* the same; its record has stopped the partition */
};

/* 16 bytes a record: the memory behind max_ahead. */
struct offsets_entry {
    int64_t offset;
    int64_t state : 8;         /* enum offset_state */
    int64_t timestamp_ms : 56; /* the record's; 0: it has none */
};

/* What a record that is delivered is to this epoch. */
enum offsets_meeting {
    OFFSETS_NEW,       /* offsets_add takes it */
    OFFSETS_AGAIN,     /* it was given back: its slot is its own again */
    OFFSETS_KNOWN,     /* delivered again, but it is settled or in hand */
    OFFSETS_WENT_BACK, /* the log is not the one that was read */
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
    int64_t next;      /* what the reader is at: below delivered while it reads again */
    size_t given_back; /* between head and tail, failed ones too */
};

/* `start` is the offset of the first record to be read; `committed` is start when the group has it
 * committed already, else -1. */
void offsets_init(struct offsets *offsets, int64_t start, int64_t committed);
void offsets_destroy(struct offsets *offsets);

/* A record was delivered. Its offset is not below offsets->delivered. Returns its slot. */
uint64_t offsets_add(struct offsets *offsets, int64_t offset);

/* What the record of that slot says of its time; none where it is not above 0. */
void offsets_note_time(struct offsets *offsets, uint64_t slot, int64_t timestamp_ms);

/* The record of that slot is settled; once for each slot. */
void offsets_settle(struct offsets *offsets, uint64_t slot);

/* The record of that slot is nobody's any more; `state` says as what. */
void offsets_give_back(struct offsets *offsets, uint64_t slot, enum offset_state state);

/* The partition is read again: returns from where, the oldest record that was given back. */
int64_t offsets_read_again(struct offsets *offsets);

/* A record is delivered, the next one of the reader. OFFSETS_AGAIN sets *slot. What was given back
 * and would have come before it is not in the log any more: that is settled, and counted in *gone.
 */
enum offsets_meeting offsets_meet(struct offsets *offsets, int64_t offset, uint64_t *slot,
                                  size_t *gone);

/* While the partition is read again: what was given back and stands before this offset is not in
 * the log any more. Settles it, and returns how much there was. */
size_t offsets_settle_removed(struct offsets *offsets, int64_t before);

/* The reader has not come to what is new yet. */
bool offsets_is_reading_again(const struct offsets *offsets);

/* Settles the record of that offset if it is one that stopped the partition; else returns false. */
bool offsets_skip_failed(struct offsets *offsets, int64_t offset);

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

/* Its timestamp; 0 when all are settled, or it has none. */
int64_t offsets_oldest_time(const struct offsets *offsets);

/* The offset of the oldest record that was given back; INT64_MAX when none was. */
int64_t offsets_first_given_back(const struct offsets *offsets);

/* What so many entries at once make the ring take at most; for a moment, while it doubles, half as
 * much more. */
size_t offsets_bytes(size_t entries);

#endif

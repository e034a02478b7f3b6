/* partition_stop.h - why a partition stands still, and how it starts again.
 *
 * A record that fails for good under the policy `stop` stops its partition: it is given back with
 * all that has not begun, what has begun ends. To start again is to read from the oldest record
 * that was given back: in the order of offsets, so that the failed one comes before any other of
 * its strand, as its first attempt; what was settled or still is in hand is passed over. When a
 * record that had left its strand is to blame, what still runs ends first: it may be of that
 * strand, and nothing of it is to be tried again before that record.
 *
 * Threads: main. */
#ifndef PARTITION_STOP_H
#define PARTITION_STOP_H

#include "error.h"
#include "util.h"

struct partition;
struct record;

enum { PARTITION_REASON_BYTES = 256 };

/* Of a partition that is stopped. */
struct partition_stop {
    bool
        is_without_start; /* nothing is committed and offset_reset is none: no record is to blame */
    int64_t offset;       /* of the first record that stopped it */
    int64_t at_ms;        /* clock_wall_ms */
    size_t unended;       /* records that have stopped it and whose handlers still run */
    bool has_left_strand; /* one that has stopped it had */
    bool is_resuming;     /* it starts again when what runs has ended */
    bool is_quiet;        /* nothing ran before the last collect */
    char reason[PARTITION_REASON_BYTES]; /* the first line of it */
};

/* The assignment begins without an offset to begin at. */
void partition_stop_without_start(struct partition *partition);

/* The record is not settled and never will be in this run of its partition: nothing is committed
 * past it, nothing further is started or read. */
void partition_stop_at(struct record *record, const char *reason);

/* A record that has stopped its partition has ended. */
void partition_note_stopper_end(struct record *record);

/* The command that starts it again, for people: "lagoon resume c --topic orders --partition 3". The
 * caller frees it. */
char *partition_resume_command(const struct partition *partition);

/* -1 and err when the partition, which is stopped, cannot start again. */
MUST_USE int partition_check_resume(const struct partition *partition, struct error *err);

/* What still runs has to end, and be collected, before it starts again. */
bool partition_has_to_wait(const struct partition *partition);

/* It has waited for that, and it is over. */
bool partition_is_to_go_on(const struct partition *partition);

/* It is stopped no more. Returns the offset at which its reader has to go on, which is
 * offsets.delivered when nothing is to be read again. All that has ended was collected. */
int64_t partition_begin_again(struct partition *partition);

/* The record of that offset, which stopped the partition, counts as skipped. -1 and err when it is
 * none that did, or its handler still runs. All that has ended was collected. */
MUST_USE int partition_skip_stopper(struct partition *partition, int64_t offset, struct error *err);

#endif

/* lane.h - a partition as the dispatcher sees it.
 *
 * A lane outlives assignments, because a handler may run on past the loss of its partition: such a
 * leftover keeps its strand until it ends, so that the same record, delivered again, waits for it.
 *
 * Owns:    nothing; the records are the dispatcher's.
 * Threads: any, under the dispatcher's mutex; `records` is main's. */
#ifndef LANE_H
#define LANE_H

#include "record.h"
#include "util.h"

struct lane {
    char *topic;
    int32_t partition;
    uint32_t number; /* of the lane among those of its dispatcher */
    struct lane *next;
    uint64_t epoch;      /* of the current assignment; 0: it is not assigned */
    bool is_held;        /* stopped: nothing of it starts */
    int64_t begun_end;   /* the offset after the last that has begun in this epoch */
    size_t running;      /* running records of this epoch */
    size_t leftovers;    /* running records of older epochs */
    struct link records; /* by lane_link: what is not collected, in the order of arrival */
    struct link held;    /* by queue_link: would be runnable, were the lane not held */
};

struct lane *lane_new(const char *topic, int32_t partition);

/* It must have no records. Sets *lane to NULL. */
void lane_free(struct lane **lane);

/* What runs of the lane's epoch becomes a leftover; the lane is not assigned any more. */
void lane_end_epoch(struct lane *lane);

/* The leftover with this offset, which a record without a strand has to wait for; or NULL. */
struct record *lane_find_leftover(struct lane *lane, int64_t offset);

#endif

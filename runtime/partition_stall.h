/* partition_stall.h - what holds a partition back: its oldest unsettled record, and who has it.
 *
 * Threads: main. */
#ifndef PARTITION_STALL_H
#define PARTITION_STALL_H

#include "stall.h"

struct partition;
struct record;

struct partition_oldest {
    const struct record *record; /* NULL: it has none in hand. As long as main does nothing else */
    enum stall_hand hand;
    int64_t offset; /* the record's, or where reading goes on */
};

/* Of an assigned partition. Walks over what is in hand until it is found, which is at the front but
 * for what is read again. */
void partition_find_oldest(const struct partition *partition, struct partition_oldest *oldest);

/* A look at whether it stands still: limit_ms and the time as in stall_look. */
enum stall_news partition_watch_stall(struct partition *partition, int64_t limit_ms,
                                      int64_t now_ms);

#endif

/* run_queue.h - what may run: the record that arrived first goes first.
 *
 * Most records become runnable as they arrive, and for those this is a ring. One that had to wait
 * for another (a successor in its strand, a twin, a held one) has arrived earlier than what was
 * appended meanwhile; these stand in a heap beside the ring. So a hot key neither waits out the
 * queue between two of its records nor, with others like it, starves the rest; and records settle
 * nearly in order, so that little is completed ahead of the commit.
 *
 * Neither is a list through the records, because a worker would then touch the memory of others
 * than that which it takes, under the mutex.
 *
 * Owns:    ring and heap. The records are the dispatcher's.
 * Threads: any, under the dispatcher's mutex. */
#ifndef RUN_QUEUE_H
#define RUN_QUEUE_H

#include "lane.h"
#include "record.h"
#include "util.h"

/* What is asked of a record is here too, so that queues are searched without a look at records. */
struct run_queue_entry {
    uint64_t turn;
    const struct lane *lane;
    struct record *record;
};

struct run_queue {
    struct run_queue_entry *ring; /* in the order of turns */
    size_t ring_capacity;         /* a power of two */
    size_t ring_first;
    size_t ring_count;
    struct run_queue_entry *heap; /* at most one for each strand, twin, held or re-run record */
    size_t heap_count;
    size_t heap_capacity;
    size_t length; /* of ring and heap together */
};

void run_queue_init(struct run_queue *queue);

/* It must be empty. */
void run_queue_destroy(struct run_queue *queue);

/* The record has just arrived: nothing in the queue has a later turn. */
void run_queue_append(struct run_queue *queue, struct record *record);

/* The record has a turn of any age. */
void run_queue_insert(struct run_queue *queue, struct record *record);

/* The record with the earliest turn, removed; NULL when there is none. */
struct record *run_queue_pop(struct run_queue *queue);

/* Which record is the next but so many, if nothing comes between; NULL: that is not known. */
const struct record *run_queue_peek(const struct run_queue *queue, size_t distance);

/* Removes every record of the lane from this offset on, to `removed` by queue_link; their states
 * are left as they are. */
void run_queue_remove_lane(struct run_queue *queue, const struct lane *lane, int64_t from,
                           struct link *removed);

#endif

/* partition_internal.h - what the files of a partition share: how a record leaves it.
 *
 * Threads: main. */
#ifndef PARTITION_INTERNAL_H
#define PARTITION_INTERNAL_H

#include "partition.h"

/* The record, which has left its strand, waits for deliveries or for its dead letter. */
void partition_await(struct partition *partition, struct record *record);

/* The record, which is out of the window, is nobody's any more, except for the reports of its
 * deliveries. */
void partition_discard(struct record *record);

/* Out of the window, and of the schedule of retries, without being settled: another reader gets it
 * again. */
void partition_drop_record(struct partition *partition, struct record *record);

#endif

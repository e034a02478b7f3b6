/* partition_internal.h - what the files of a partition share: how an epoch begins and ends, and how
 * a record comes in and leaves.
 *
 * Threads: main. */
#ifndef PARTITION_INTERNAL_H
#define PARTITION_INTERNAL_H

#include "partition.h"

/* The part of partition_assign that needs no librdkafka. */
void partition_begin(struct partition *partition, const struct partition_start *start);

/* The broker's log went back to `offset`: a new epoch of the same assignment begins there, or
 * before it at the first record that is not settled, since all that is read is dropped. Returns
 * where that is; reading has to go on there. */
MUST_USE int64_t partition_restart(struct partition *partition, int64_t offset);

/* Everything of the epoch that main knows of is dropped; what runs is left over. */
void partition_end_epoch(struct partition *partition);

/* A record of this partition enters its epoch and the window with the slot that its offset has; the
 * dispatcher gets it next. */
void partition_take_in(struct partition *partition, struct record *record, uint64_t slot);

/* So much is settled beyond the oldest unsettled record that nothing further is read. */
bool partition_is_at_max_ahead(const struct partition *partition);

/* The record, which has left its strand, waits for deliveries or for its dead letter. */
void partition_await(struct partition *partition, struct record *record);

/* The record, which is out of the window, is nobody's any more, except for the reports of its
 * deliveries. */
void partition_discard(struct record *record);

/* Out of the window, and of the schedule of retries, without being settled: another reader gets it
 * again. */
void partition_drop_record(struct partition *partition, struct record *record);

#endif

/* start_offsets.h - where each partition of an assignment begins.
 *
 * Threads: a helper: it asks the brokers and blocks. */
#ifndef START_OFFSETS_H
#define START_OFFSETS_H

#include <librdkafka/rdkafka.h>

#include "config.h"
#include "error.h"
#include "partition.h"

/* Fills one start for each partition of the list, and the list's offsets: what the group has
 * committed, or by `reset` the earliest or latest offset there is. `query` is a handle other than
 * the consumer's, whose questions do not wait behind a fetch. Blocks up to timeout_ms for each
 * question. */
MUST_USE int start_offsets_resolve(rd_kafka_t *consumer, rd_kafka_t *query,
                                   rd_kafka_topic_partition_list_t *list, enum offset_reset reset,
                                   int timeout_ms, struct partition_start *starts,
                                   struct error *err);

#endif

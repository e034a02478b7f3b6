/* rebalance_words.h - what is said of assignments and revokes.
 *
 * Threads: main. */
#ifndef REBALANCE_WORDS_H
#define REBALANCE_WORDS_H

#include <librdkafka/rdkafka.h>

#include "assignment.h"
#include "log.h"

/* `consumer NAME: WHAT orders[0-9] payments[1,3]` */
void rebalance_say_list(const char *consumer, enum log_level level, const char *what,
                        const rd_kafka_topic_partition_list_t *list);

/* What the consumer may take with the partitions that it has now. */
void rebalance_say_memory(const struct assignment *assignment);

/* Takes the error; NULL says nothing. */
void rebalance_say_refusal(const char *consumer, rd_kafka_error_t *error);

/* The partition stands: nothing is committed, and the consumer does not begin by itself. */
void rebalance_say_missing_start(const char *consumer, const struct partition *partition);

/* What still runs when the partition is given back, if anything does. */
void rebalance_say_leftovers(const char *consumer, const struct partition *partition);

/* What is settled and was not committed, if anything is: another reader repeats it. */
void rebalance_say_uncommitted(const char *consumer, const struct partition *partition,
                               bool is_lost);

#endif

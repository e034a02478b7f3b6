/* letter_box.h - reads the dead letters of one consumer that are there now, but those taken before.
 *
 * What was taken is said by the committed offset of a group of its own, and by the text beside it
 * where letters stay between those that were taken. So what was sent back does not come again, and
 * what was not stays.
 *
 * Owns:    its handle. Threads: any one; every function may block. */
#ifndef LETTER_BOX_H
#define LETTER_BOX_H

#include "cluster.h"
#include "config.h"
#include "letter_marks.h"
#include "record.h"

struct letter_box {
    rd_kafka_t *handle;
    const char *brokers; /* the cluster's */
    char *topic;
    rd_kafka_topic_partition_list_t *places; /* where reading goes on, by partition */
    int64_t *ends;                           /* what was there when it was opened */
    struct letter_marks *marks;              /* of each partition */
    int timeout_ms;                          /* of a wait for a broker */
    bool is_unreachable;                     /* the last error was that none answered */
};

/* The letters of `topic` that the consumer's group of redrives has not taken. -1 and err when no
 * broker answers within timeout_ms. */
MUST_USE int letter_box_open(struct letter_box *box, const struct cluster *cluster,
                             const struct consumer_config *consumer, const char *topic,
                             int timeout_ms, struct error *err);
void letter_box_close(struct letter_box *box);

/* 1 and *letter, which the caller frees; 0 when all that was there has come; -1 and err. */
int letter_box_next(struct letter_box *box, struct record **letter, struct error *err);

/* Another letter of its partition can be taken and remembered as that. */
bool letter_box_has_room(const struct letter_box *box, const struct record *letter);

/* The letter, which came last, does not come again once that is committed. */
void letter_box_take(struct letter_box *box, const struct record *letter);

/* What was taken so far does not come again. */
MUST_USE int letter_box_commit(struct letter_box *box, struct error *err);

#endif

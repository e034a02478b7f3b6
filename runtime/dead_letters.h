/* dead_letters.h - the topics where the records of a consumer end that are given up.
 *
 * A letter is the record as it came, byte for byte, with headers that say where it was and why it
 * is there. The topic is looked for, or made, before its first letter; while it cannot be written
 * to, letters wait, and with them the commit of what stands behind them.
 *
 * Owns:    its producer, which is made at the first letter. Borrows the records.
 * Threads: main; topics and handles are made on helpers.
 * Life:    dead_letters_new -> dead_letters_send ... -> dead_letters_close -> on_closed. */
#ifndef DEAD_LETTERS_H
#define DEAD_LETTERS_H

#include <uv.h>

#include "cluster.h"
#include "generation.h"
#include "producer.h"
#include "record.h"

struct dead_letters;

struct dead_letters_options {
    uv_loop_t *loop;
    struct generation *generation; /* that says where they go; held */
    const char *consumer;          /* its name, which the generation declares */
    const struct cluster *cluster; /* the consumer's */
    rd_kafka_t *query;             /* of that cluster, for a helper's questions */
    void *context;
    /* On main, for each record that was sent: its letter is acknowledged (reason NULL), or refused
     * for good. Never during dead_letters_send. The record may have been dropped meanwhile. */
    void (*on_end)(void *context, struct record *record, const char *reason);
    void (*on_fatal)(void *context, struct error *err); /* no letter can be written any more */
};

/* Everything in the options outlives them, but for the generation. */
struct dead_letters *dead_letters_new(const struct dead_letters_options *options);

/* The record, whose failure says why, is given up. It stays the caller's; while its letter is on
 * the way it has a delivery open. dead_letters_forget, before it is dropped. */
void dead_letters_send(struct dead_letters *letters, struct record *record);

/* From here on this generation says where they go. What waits goes there, too; what is on its way
 * ends where it was sent. */
void dead_letters_go_by(struct dead_letters *letters, struct generation *generation);

/* What librdkafka last said of the handle that writes them; name is that one's. */
const struct statistics *dead_letters_statistics(const struct dead_letters *letters,
                                                 const char **name);

/* A letter that is not on its way yet is not written. */
void dead_letters_forget(struct record *record);

/* What is on its way is given up; then frees. The caller has forgotten every record. */
void dead_letters_close(struct dead_letters **letters, void (*on_closed)(void *context),
                        void *context);

/* --- between its files --- */

/* The headers of a letter: those of the record, then ours. They point into the record and into
 * `numbers`. */
struct letter_headers {
    struct record_header *items;
    size_t count;
    char numbers[4][24];
};
void letter_headers_init(struct letter_headers *headers, const struct record *record,
                         const struct consumer_config *consumer);
void letter_headers_destroy(struct letter_headers *headers);

#endif

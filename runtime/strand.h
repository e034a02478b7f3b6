/* strand.h - the records of one order, and how a record finds its own.
 *
 * A strand is what equal keys of one partition share, or what all records of one partition share;
 * it exists only while it has records. Its head is the one that may run; the others wait behind.
 *
 * Owns:    a copy of its key. The records are the dispatcher's.
 * Threads: any, under the dispatcher's mutex; what needs no mutex says so. */
#ifndef STRAND_H
#define STRAND_H

#include "config.h"
#include "record.h"
#include "util.h"

#ifndef uthash_malloc
#define uthash_malloc(size) xmalloc(size)
#endif
#include <uthash.h>

enum { STRAND_SHORT_KEY_BYTES = 64 };

/* The key is a copy because the record that brought it may be freed before its successors run.
 * Short keys need no allocation, and such strands are used again. */
struct strand {
    struct strand **table; /* its lane's, by key */
    struct record *head; /* runnable, held, running, ended or kept; never NULL while in the table */
    struct link behind;  /* by queue_link: the others, in order */
    char *key;           /* short_key, or allocated */
    size_t key_length;
    char short_key[STRAND_SHORT_KEY_BYTES];
    struct strand *next_spare;
    UT_hash_handle hh;
};

/* Strands without records, kept for reuse. */
struct strand_spares {
    struct strand *first;
    size_t count;
};

void strand_spares_destroy(struct strand_spares *spares);

/* The record has to keep an order under this distribution. Needs no mutex. */
bool strand_is_due(enum distribution distribution, const struct record *record);

/* Sets record->key_hash, by which strand_find finds. Needs no mutex. */
void strand_hash(enum distribution distribution, struct record *record);

/* The strand of a record that is due one; it is new, without a head, when the table had none. */
struct strand *strand_find(struct strand_spares *spares, enum distribution distribution,
                           struct strand **table, const struct record *record);

/* The strand has no records any more. */
void strand_delete(struct strand_spares *spares, struct strand *strand);

#endif

/* strand.h - the records of one order, and how a record finds those before it.
 *
 * A strand is what equal keys of one partition share, or what all records of one partition share.
 * Its head is the record that may run; the others are chained behind it. There is no strand beside
 * its records: a table finds the last of them by key, and so nothing is allocated for a strand and
 * no key is copied. The table is one of our own because each record enters and leaves it, on two
 * threads: hashes stand in it beside the records, so that a search looks at one line of memory and
 * then at the record that it meant, where the nodes of a common hash map, chained among each other
 * too, took a fifth of all that lagoon adds to a record.
 *
 * Owns:    the table. The records are the dispatcher's.
 * Threads: any, under the dispatcher's mutex; what needs no mutex says so. */
#ifndef STRAND_H
#define STRAND_H

#include "config.h"
#include "record.h"
#include "util.h"

struct strand_entry {
    struct record *last; /* of a strand; NULL: nothing is here */
    uint32_t hash;       /* its key_hash */
};

/* Open addressing: an entry stands at the place of its hash or at one of those behind it, with no
 * free one between. At most half of the places are taken. */
struct strands {
    enum distribution distribution;
    struct strand_entry *entries; /* changed by main alone */
    size_t capacity;              /* a power of two */
    size_t count;
};

void strands_init(struct strands *strands, enum distribution distribution);

/* There must be none. */
void strands_destroy(struct strands *strands);

/* The record has to keep an order. Needs no mutex. */
bool strand_is_due(const struct strands *strands, const struct record *record);

/* On main, without the mutex: sets key_hash of a record that is due, whose lane is set, and fetches
 * its place in the table into the cache. */
void strand_prepare(const struct strands *strands, struct record *record);

/* On main: the prepared record becomes the last of its strand. */
void strand_enter(struct strands *strands, struct record *record);

/* The record leaves its strand, wherever it stands in it; the one that stood behind it, or NULL. */
struct record *strand_leave(struct strands *strands, struct record *record);

#endif

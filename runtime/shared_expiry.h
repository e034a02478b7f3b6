/* shared_expiry.h - which of many things is over first: a binary heap of what stands in them.
 *
 * Owns:    the places in the heap; the things are the caller's.
 * Threads: its owner's. */
#ifndef SHARED_EXPIRY_H
#define SHARED_EXPIRY_H

#include "util.h"

#define SHARED_NOWHERE SIZE_MAX

/* A part of what expires. */
struct expiring {
    int64_t at_ms;
    size_t place; /* in the heap; SHARED_NOWHERE: not there */
};

/* Zero to begin with. */
struct shared_expiry {
    struct expiring **heap;
    size_t count;
    size_t capacity;
};

void shared_expiry_destroy(struct shared_expiry *expiry);

/* It is not there yet. */
void shared_expiry_add(struct shared_expiry *expiry, struct expiring *expiring, int64_t at_ms);

/* Nothing happens when it is not there. */
void shared_expiry_remove(struct shared_expiry *expiry, struct expiring *expiring);

/* The first that is over at now_ms, which stays; NULL: none. */
struct expiring *shared_expiry_due(const struct shared_expiry *expiry, int64_t now_ms);

#endif

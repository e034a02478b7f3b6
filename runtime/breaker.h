/* breaker.h - when giving up stops: so many records in a row were given up that it is rather a
 * service that is away than the records that are bad.
 *
 * Pure. Threads: main. */
#ifndef BREAKER_H
#define BREAKER_H

#include "util.h"

struct breaker {
    int limit;    /* records in a row that open it; 0: nothing does */
    int row;      /* given up since the last one that was handled */
    bool is_open; /* nothing is given up until one is handled */
};

/* A record is to be given up: says whether it may be. The last of the row may, and opens it. */
bool breaker_give_up(struct breaker *breaker);

/* A record was handled, which closes it. */
void breaker_succeed(struct breaker *breaker);

#endif

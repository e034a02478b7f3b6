/* generation.h - one consistent reading of config.lua and of all scripts, and its number.
 *
 * Every Lua state is made from one generation and holds it; so files that change on disk change
 * nothing for a state, and what a state points to stays as long as the state.
 *
 * Owns:    itself, by count: who serves it holds one reference, each Lua state another; with the
 *          last one config and scripts are freed, except those of the process itself.
 * Threads: made on a helper; set up by main before a state is made from it; constant from then on.
 *          References are counted on any thread. */
#ifndef GENERATION_H
#define GENERATION_H

#include <stdatomic.h>

#include "bindings.h"
#include "bundle.h"
#include "config.h"

enum { GENERATION_HASH_BYTES = 17 };

struct generation {
    atomic_int references;
    uint64_t number;                  /* from 1; 0: it has none yet */
    char hash[GENERATION_HASH_BYTES]; /* of the files' content, as logs show it */
    const struct config *config;
    const struct bundle *bundle;
    struct config *own_config; /* NULL: somebody's who outlives every generation */
    struct bundle *own_bundle;
    struct generation *origin; /* held, when config and bundle are another generation's */
    struct bindings_host host;
    struct producer **producers; /* NULL: the host's are somebody's who outlives it */
};

/* The first one: config and bundle outlive it. */
struct generation *generation_first(const struct config *config, const struct bundle *bundle);

/* A further one, which takes both. */
struct generation *generation_new(struct config **config, struct bundle **bundle);

/* One with the content of another, which it holds. */
struct generation *generation_again(struct generation *origin);

/* It is to serve as that number in the process that began with `first`: its producers and what is
 * shared are those of the process, and what a state has to know of the consumers that run is as it
 * is.
 */
void generation_settle(struct generation *generation, const struct generation *first,
                       uint64_t number);

struct generation *generation_reference(struct generation *generation);
void generation_release(struct generation **generation); /* sets *generation to NULL */

/* Nothing that could be seen differs. */
bool generation_is_same(const struct generation *one, const struct generation *other);

#endif

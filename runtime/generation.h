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
    struct producer **producers; /* the host's, each held; NULL: it has none yet */
};

/* The first one: config and bundle outlive it. */
struct generation *generation_first(const struct config *config, const struct bundle *bundle);

/* A further one, which takes both. */
struct generation *generation_new(struct config **config, struct bundle **bundle);

/* One with the content of another, which it holds. */
struct generation *generation_again(struct generation *origin);

/* It is to serve as that number. */
void generation_number(struct generation *generation, uint64_t number);

/* Once, before a state is made from it: takes the array, of one held producer for each that its
 * config declares, in that order; with the generation they are let go. */
void generation_set_producers(struct generation *generation, struct producer **producers);

struct generation *generation_reference(struct generation *generation);
void generation_release(struct generation **generation); /* sets *generation to NULL */

/* Nothing that could be seen differs. */
bool generation_is_same(const struct generation *one, const struct generation *other);

#endif

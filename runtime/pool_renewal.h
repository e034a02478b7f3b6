/* pool_renewal.h - further Lua states for the workers of a pool, made on a helper while all of them
 * go on.
 *
 * They are made on an errand: what the files of a generation do when they are loaded is not known
 * yet, and what never ends is given up.
 *
 * Owns:    one errand, and what it has made, until the workers have it.
 * Threads: main; the errand's makes. */
#ifndef POOL_RENEWAL_H
#define POOL_RENEWAL_H

#include <stdatomic.h>

#include <uv.h>

#include "errand.h"
#include "error.h"
#include "script.h"

struct pool;
struct worker_state;

/* The state of one slot's worker. */
struct renewed {
    size_t slot;
    struct script *script; /* NULL: it was not made */
};

/* What the thread that makes them has in hand. */
struct making {
    atomic_bool is_given_up;       /* by main: no further one is made, and none is needed */
    struct generation *generation; /* held: whose states are made */
    struct script_source source;
    struct renewed *items;
    size_t count;
    struct error error;
    int rc;
};

struct pool_renewal {
    struct making *making; /* while it is under way */
    bool is_under_way;
    bool is_given_up;
    void *context;
    void (*on_end)(void *context, const struct error *err);
    struct worker_state *unused; /* what gave way at the last offer */
};

/* Every worker that there is has a state prepared. */
bool pool_is_prepared(const struct pool *pool);

/* No worker that has none prepared has as many states as it may have. */
bool pool_has_room(const struct pool *pool);

/* Makes a state of the generation for every worker that has none prepared. There is room, and
 * none is made. Then
 * on_end; with err, NULL when all is well, say why nothing was prepared. Workers that started
 * meanwhile have none yet. */
void pool_prepare(struct pool *pool, struct generation *generation,
                  void (*on_end)(void *context, const struct error *err), void *context);

/* What is prepared, or being made, is not needed. on_end comes nevertheless. */
void pool_withdraw(struct pool *pool);

/* Under the lock of all dispatchers: what is prepared takes over, and further workers begin with
 * this generation. */
void pool_offer(struct pool *pool, struct generation *generation);

/* After it, without the lock: the pool goes by what the generation says of it, as by pool_go_by. */
void pool_finish_offer(struct pool *pool);

#endif

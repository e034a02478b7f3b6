/* pool_repair.h - fresh Lua states for workers whose state was spoilt: a handler ran out of memory
 * in it, or was ended in the middle of something.
 *
 * The fresh one is of the generation that serves. It takes all new records; calls that wait in the
 * spoilt one end there, then it is closed. One that ran out of memory is replaced at once, and its
 * worker takes no record until then; any other at most once a second for each worker, which goes on
 * meanwhile. Where no fresh one can be made, because of an on_load for instance, the worker goes on
 * with the old one, and after a while, longer each time, it is tried again.
 *
 * Owns:    one piece of work on a helper, and what it has made, until the workers have it.
 * Threads: main; workers ask; the helper makes. */
#ifndef POOL_REPAIR_H
#define POOL_REPAIR_H

#include <stdatomic.h>

#include <uv.h>

#include "error.h"
#include "script.h"

struct pool;

/* States that are made at once, so that the first of many workers go on soon. */
enum { REPAIR_BATCH = 8 };

struct pool_repair {
    uv_work_t work;
    bool is_under_way;
    atomic_bool is_given_up;       /* by main: the pool stops, no further one is made */
    atomic_bool is_asked;          /* by workers: there is a spoilt one; cleared by main */
    bool is_waiting;               /* one is spoilt and its turn has not come */
    int64_t retry_at_ms;           /* after a failure */
    int64_t pause_ms;              /* the last time until then */
    struct generation *generation; /* whose states are made; held while it is under way */
    struct script_source source;
    struct {
        size_t slot;
        enum spoil spoil;
        struct script *script; /* NULL: it was not made */
    } items[REPAIR_BATCH];
    size_t count;
    struct error error;
    int rc;

    /* For the status. */
    uint64_t replaced;
    int64_t last_at_ms; /* clock_wall_ms */
    size_t last_worker;
    enum spoil last_spoil;
};

void pool_repair_init(struct pool_repair *repair);

/* Has fresh states made for those workers that need one and may have it now. Cheap when there are
 * none. */
void pool_repair_step(struct pool *pool);

/* "the old one ran out of memory (lua.memory_limit)": what happened in the state before. */
const char *pool_repair_reason(enum spoil spoil);

#endif

/* admin_guard.h - who may ask the admin server for what changes something or tells much.
 *
 * A page in somebody's browser can send requests to this machine too: by its own name for our
 * address, or across sites. Both show in the headers. Programs send none of them.
 *
 * Pure. Threads: any. */
#ifndef ADMIN_GUARD_H
#define ADMIN_GUARD_H

#include "error.h"

struct admin_guard {
    const char *token; /* NULL: none is asked for */
    bool is_local;     /* only this machine can reach the server */
};

/* The headers of a request; NULL: it has none of that name. */
struct admin_visit {
    const char *host;
    const char *origin;
    const char *site; /* Sec-Fetch-Site */
    const char *authorization;
};

/* 0; or the status of the answer, with err. */
MUST_USE int admin_guard_check(const struct admin_guard *guard, const struct admin_visit *visit,
                               struct error *err);

#endif

/* main_script.h - a script that runs once beside the consumers or in place of them: scripts/dev.lua
 * and the scripts of `lagoon publish` and `lagoon exec`.
 *
 * Owns:    its Lua state and its worker, a thread of its own, so that a script that blocks stops no
 *          delivery. Borrows host, bundle and chunk, which outlive it.
 * Threads: main.
 * Life:    main_script_init -> main_script_load -> main_script_start -> [main_script_retire] ->
 *          on_end -> main_script_close -> main_script_destroy. Without a chunk all of it does
 *          nothing. */
#ifndef MAIN_SCRIPT_H
#define MAIN_SCRIPT_H

#include <uv.h>

#include "worker.h"

struct main_script_options {
    uv_loop_t *loop;
    const struct bindings_host *host;
    const struct bundle *bundle;
    const struct worker_main *chunk; /* NULL: there is no such script */
    void *context;
    /* The script has returned, failed, or was left where it waits. */
    void (*on_end)(void *context);
};

struct main_script {
    struct main_script_options options;
    struct script *script; /* until the worker has it */
    struct worker *worker; /* while it runs */
    uv_async_t ended;
    char *failure; /* why it failed, with its traceback; NULL when it has not */

    /* For main_script_stalled_ms. */
    size_t last_outstanding;
    int64_t progress_ms;
};

void main_script_init(struct main_script *main, const struct main_script_options *options);

/* Makes the Lua state. Before the loop runs: may block. */
MUST_USE int main_script_load(struct main_script *main, struct error *err);

MUST_USE int main_script_start(struct main_script *main, struct error *err);

/* From its next wait on it is left where it waits. */
void main_script_retire(struct main_script *main);

bool main_script_is_running(const struct main_script *main);

/* As messages show it: scripts/dev.lua. */
const char *main_script_name(const struct main_script *main);

/* How long nothing has been acknowledged though `outstanding` records are due; to be asked again
 * and again. */
int64_t main_script_stalled_ms(struct main_script *main, size_t outstanding);

/* Closes the loop's handle. */
void main_script_close(struct main_script *main);

/* After the loop has run. The failure has been taken by then or is freed. */
void main_script_destroy(struct main_script *main);

#endif

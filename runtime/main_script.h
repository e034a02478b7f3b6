/* main_script.h - a script that runs once beside the consumers or in place of them: scripts/dev.lua
 * and the scripts of `lagoon publish` and `lagoon exec`.
 *
 * Owns:    its Lua state and its worker, a thread of its own, so that a script that blocks stops no
 *          delivery. Borrows the generation and chunk, which outlive it.
 * Threads: main.
 * Life:    main_script_init -> main_script_load -> main_script_start -> [main_script_retire] ->
 *          [main_script_interrupt] -> on_end -> main_script_close -> main_script_destroy. Without a
 * chunk all of it does nothing. */
#ifndef MAIN_SCRIPT_H
#define MAIN_SCRIPT_H

#include <uv.h>

#include "worker.h"

struct main_script_options {
    uv_loop_t *loop;
    struct generation *generation;   /* of its state */
    const struct script_main *chunk; /* NULL: there is no such script */
    void *context;
    /* The script has returned, failed, or was ended where it waits. */
    void (*on_end)(void *context);
};

struct main_script {
    struct main_script_options options;
    struct script *script; /* until the worker has it */
    struct worker *worker; /* while it runs */
    uv_async_t ended;
    bool has_ended;
    enum main_end end; /* once it has */
    char *text;        /* why it failed, with its traceback; or where it was ended; or NULL */

    /* For main_script_stalled_ms. */
    uint64_t last_reports;
    int64_t progress_ms;
};

void main_script_init(struct main_script *main, const struct main_script_options *options);

/* Makes the Lua state. Before the loop runs: may block. */
MUST_USE int main_script_load(struct main_script *main, struct error *err);

MUST_USE int main_script_start(struct main_script *main, struct error *err);

/* It is ended where it waits, now or the next time, and standard input ends for it. */
void main_script_retire(struct main_script *main);

/* It is ended where it runs. */
void main_script_interrupt(struct main_script *main);

bool main_script_is_running(const struct main_script *main);

/* As messages show it: scripts/dev.lua. */
const char *main_script_name(const struct main_script *main);

/* It came to an end of its own, and nothing that it read was cut off. A script of
 * the user's that was ended while it slept was at a place where nothing is undone. */
bool main_script_is_finished(const struct main_script *main);

/* How long no report of a delivery came though `outstanding` are due; `reports` counts those that
 * came. To be asked again and again. */
int64_t main_script_stalled_ms(struct main_script *main, size_t outstanding, uint64_t reports);

/* Closes the loop's handle. */
void main_script_close(struct main_script *main);

/* After the loop has run. The text has been taken by then or is freed. */
void main_script_destroy(struct main_script *main);

#endif

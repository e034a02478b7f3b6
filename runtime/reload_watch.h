/* reload_watch.h - looks every half second whether files look changed, and says so when they have
 * looked the same twice: who writes several files, or one in pieces, is done by then.
 *
 * Owns:    a timer of the loop and one piece of work on a helper.
 * Threads: main; a helper looks.
 * Life:    reload_watch_init -> reload_watch_start -> reload_watch_stop -> reload_watch_close. */
#ifndef RELOAD_WATCH_H
#define RELOAD_WATCH_H

#include <uv.h>

#include "generation.h"

struct reload_watch_options {
    uv_loop_t *loop;
    /* On a helper: what all files look like; config is the one that serves. */
    uint64_t (*sign)(void *sign_context, const struct config *config);
    void *sign_context;
    void *context;
    struct generation *(*serving)(void *context);
    void (*on_change)(void *context);
};

struct reload_watch {
    struct reload_watch_options options;
    uv_timer_t timer;
    uv_work_t work;
    bool is_looking;
    bool is_stopped;
    struct generation *generation; /* held while a helper looks */
    uint64_t signature;            /* the helper's then */
    uint64_t last;                 /* of the look before; 0: there was none */
    uint64_t said;                 /* that on_change was called for; 0: none, so that the first look
                                      finds what changed since the start */
};

void reload_watch_init(struct reload_watch *watch, const struct reload_watch_options *options);
void reload_watch_start(struct reload_watch *watch);
void reload_watch_stop(struct reload_watch *watch);
void reload_watch_close(struct reload_watch *watch);

#endif

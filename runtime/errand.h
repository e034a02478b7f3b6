/* errand.h - a piece of work on a thread of its own that may never end, because it runs what
 * somebody else wrote: a script that blocks in a C function, say.
 *
 * It says now and then what it is about. When nothing new was said for too long it is given up:
 * whoever sent it goes on without it, and the thread is left alone with what it has.
 *
 * Owns:    its thread, its handles of the loop, and `data` while the work is under way.
 * Threads: main; `work` and errand_say on its thread.
 * Life:    errand_start -> on_end, or errand_give_up before that. */
#ifndef ERRAND_H
#define ERRAND_H

#include <uv.h>

#include "util.h"

struct error;
struct errand;

/* What is long enough for anything that is to be loaded: 30 s, or what the variable
 * LAGOON_SPEC_ERRAND_MS says. */
int64_t errand_limit_ms(void);

struct errand_options {
    uv_loop_t *loop;
    const char *name;         /* of the thread */
    void *data;               /* what it works on: nobody else's meanwhile, but for atomics */
    int64_t limit_ms;         /* how long it may say nothing new; 0: for ever */
    bool gives_way;           /* to threads that handle records, where processors are busy */
    void (*work)(void *data); /* on its thread */
    /* What nobody waits for any more: on its thread, when the work has ended after all. */
    void (*drop)(void *data);
    void *context;
    /* On main. The data is the receiver's; or NULL, and err says what did not end. */
    void (*on_end)(void *context, void *data, const struct error *err);
};

/* on_end comes later in any case. */
struct errand *errand_start(const struct errand_options *options);

/* on_end does not come any more. Sets *errand, which may be NULL, to NULL. */
void errand_give_up(struct errand **errand);

/* What the calling thread's errand is about from here on: "the top of handlers/a.lua"; nothing when
 * it runs none. */
void errand_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* Errands that were given up and whose work has not ended: the process has to _exit. */
size_t errand_lost_count(void);

#endif

/* reload.h - changes a running process over to what its files say now, or leaves it as it is.
 *
 * A helper reads and checks everything; then, consumer by consumer, a helper makes a new Lua state
 * for each worker, and the consumers that are new, while all that run go on; and when the last is
 * there all take over at once. What
 * fails anywhere on the way leaves nothing behind but its reason. One reload is under way at a
 * time; what is asked for meanwhile is one more behind it, and while it waits for room in a worker
 * it begins again with the files as they are then.
 *
 * Owns:    the generation that serves, the one that is on its way, a timer of the loop.
 * Threads: main; `read` and what makes Lua states run on errands.
 * Life:    reload_init -> reload_ask, any number of times -> reload_stop -> reload_close ->
 *          reload_destroy. */
#ifndef RELOAD_H
#define RELOAD_H

#include <uv.h>

#include "crew.h"
#include "errand.h"
#include "generation.h"

/* What a helper read. */
struct reading {
    struct config *config;
    struct bundle *bundle;
    struct config_problems problems; /* any: nothing of it can be used */
    struct config_problems suspicions;
};

struct reload_options {
    uv_loop_t *loop;
    struct generation *first;    /* what serves to begin with */
    const struct config *config; /* that the process began with; outlives it */
    struct connections *connections;
    struct crew *crew;
    /* On a thread of its own, which may never end: reads and checks, as at a start. */
    void (*read)(void *read_context, struct reading *reading);
    void *read_context;
    void *context;
    /* What its states need of the process; the connections expect it. */
    void (*provide)(void *context, struct generation *generation);
    /* The generation serves from here on. */
    void (*on_change)(void *context, const struct generation *generation);
};

enum reload_phase {
    RELOAD_IDLE,
    RELOAD_READS,
    RELOAD_PREPARES,
    RELOAD_STOPPED,
};

/* Who asks: what decides how much is said. */
enum reload_cause {
    RELOAD_ASKED,   /* somebody did: there is an answer in any case */
    RELOAD_WATCHED, /* files look changed: nothing is said when they are not, or not of what was
                       refused before */
};

enum reload_end {
    RELOAD_DONE,
    RELOAD_UNCHANGED,
    RELOAD_REFUSED,
};

/* How a reload ended. */
struct reload_outcome {
    enum reload_end end;
    uint64_t generation; /* that serves now */
    char hash[GENERATION_HASH_BYTES];
    char *text;    /* done: what changed, NULL where no state can tell; refused: why, on its first
                      line as a sentence */
    char *restart; /* done: the keys that only another start takes up; NULL: none */
    char *changes[CREW_CHANGES]; /* done: the consumers that start, ...; NULL: none */
};

struct reload {
    struct reload_options options;
    enum reload_phase phase;
    struct generation *serving;  /* held */
    struct generation *previous; /* held: what served before it; NULL: nothing */
    struct generation *next;     /* held, while it is prepared */
    bool is_rollback;            /* next is what served before */
    bool is_rolled_back;         /* what serves did before: the files say what `previous` does */
    uint64_t begun;              /* reloads */
    uint64_t ended;              /* the last of them that has an outcome */
    struct reload_outcome outcome;
    uint64_t ends[RELOAD_REFUSED + 1]; /* how many ended so */
    struct errand *errand;             /* while it reads */
    struct reading reading;
    bool is_reading;
    bool is_making;                /* a consumer's helper makes states */
    bool is_asked;                 /* again, since the reload that is under way began to read */
    enum reload_cause cause;       /* of what is under way */
    enum reload_cause asked_cause; /* of what is asked */
    bool is_full_said;             /* that it waits for room */
    uv_timer_t timer;              /* while it waits for room */
    char *refusal; /* why the files as they are do not serve; NULL: they do, as far as known */
    char refused_hash[GENERATION_HASH_BYTES]; /* of what was refused after it was read; or "" */
};

void reload_init(struct reload *reload, const struct reload_options *options);

/* Returns the number of the reload that answers it. */
uint64_t reload_ask(struct reload *reload, enum reload_cause cause);

/* What served before serves again, as a new generation, until a reload finds other files. Returns
 * the reload's number; or 0 and err, when nothing served before or a reload is under way. */
uint64_t reload_roll_back(struct reload *reload, struct error *err);

/* Of the reload of that number, or a later one that took its place; NULL: it has not ended. Lives
 * until the next one ends. */
const struct reload_outcome *reload_outcome(const struct reload *reload, uint64_t number);

/* It reads, prepares, or waits for room. */
bool reload_is_under_way(const struct reload *reload);

/* Nothing changes any more. What a helper does goes on to its end. */
void reload_stop(struct reload *reload);

/* Closes the loop's handle. */
void reload_close(struct reload *reload);

/* After the loop has run. */
void reload_destroy(struct reload *reload);

#endif

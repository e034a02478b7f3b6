/* producer_play.h - a producer for specs, with a loop and an inbox of its own.
 *
 * Threads: the interpreter's, which is main while a function of the play runs. */
#ifndef PRODUCER_PLAY_H
#define PRODUCER_PLAY_H

#include <lua.h>
#include <uv.h>

#include "producer_internal.h"
#include "thread.h"

#define PLAY_CLASS "unit.producer"

enum { REPORTS_MAX = 1024, POSTS_MAX = 256 };

struct report {
    struct record *record;
    int attempt;
    char *reason;
};

struct play {
    uv_loop_t loop;
    struct cluster_config cluster_config;
    struct cluster cluster;
    struct producer_config config;
    struct producer *producer;
    struct inbox *inbox;
    bool is_closed;
    struct report reports[REPORTS_MAX];
    size_t report_count;
    char *fatal;
};

/* The one on the stack's first place; raises when it is closed. */
struct play *play_check(lua_State *L);

/* What ASSERT_ON wants, for the length of a call; returns what the thread was before. */
enum thread_role play_enter_main(void);

/* producer_threads.c */
int play_publish_from_threads(lua_State *L);
int play_block_for_room(lua_State *L);

#endif

/* thread.h - which of the program's threads is running, so that a function can insist on it.
 *
 * Threads: any; each says once what it is. */
#ifndef THREAD_H
#define THREAD_H

#include <assert.h>
#include <pthread.h>

#include "util.h"

struct error;

enum thread_role {
    THREAD_UNKNOWN, /* librdkafka's, libuv's helpers, a spec's */
    THREAD_MAIN,
    THREAD_WORKER,
    THREAD_IO,
};

void thread_set_role(enum thread_role role, const char *name);
enum thread_role thread_role(void);

/* A pthread with a stated stack, whose signals are all blocked: only main takes signals. */
MUST_USE int thread_start(pthread_t *thread, void *(*run)(void *), void *argument,
                          struct error *err);

/* From here on the calling thread gets less of busy processors than others do, a third or so. */
void thread_give_way(void);

#define ASSERT_ON(role) assert(thread_role() == (role))

#endif

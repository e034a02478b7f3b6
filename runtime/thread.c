#include "thread.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "error.h"

/* The deepest Lua recursions measured need 256 KiB; musl's default of 128 KiB crashes. */
enum { STACK_BYTES = 1024 * 1024 };

/* A step of niceness is worth a fifth of the processor; far more would never end on a busy one. */
enum { NICER = 5 };

static _Thread_local enum thread_role current_role;

void thread_set_role(enum thread_role role, const char *name)
{
    current_role = role;
    if (name != NULL)
        pthread_setname_np(pthread_self(), name);
}

enum thread_role thread_role(void)
{
    return current_role;
}

int thread_start(pthread_t *thread, void *(*run)(void *), void *argument, struct error *err)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, &attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (rc != 0) {
        error_set(err, "cannot start a thread: %s", strerror(rc));
        return -1;
    }
    return 0;
}

/* On Linux a thread has a niceness of its own. */
void thread_give_way(void)
{
    id_t id = (id_t)gettid();
    setpriority(PRIO_PROCESS, id, getpriority(PRIO_PROCESS, id) + NICER);
}

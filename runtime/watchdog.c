#include "watchdog.h"

#include <assert.h>
#include <errno.h>

#include "error.h"
#include "thread.h"

enum {
    LOOK_MS = 10,      /* while anything runs */
    IDLE_LOOK_MS = 50, /* while nothing does */
    SIGNAL_AGAIN_MS = 500,
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition; /* by CLOCK_MONOTONIC: the thread is to end */
    pthread_t thread;
    bool is_running;
    bool is_ending;
    struct link watches;
} watchdog = {.mutex = PTHREAD_MUTEX_INITIALIZER,
              .watches = {&watchdog.watches, &watchdog.watches}};

static _Thread_local struct watch *mine;

/* A real-time signal: nobody sends those by accident. */
static int signal_number(void)
{
    return SIGRTMIN + 5;
}

/* --- the watched thread --- */

static void on_signal(int number)
{
    (void)number;
    struct watch *watch = mine;
    if (watch == NULL)
        return;
    uint64_t stretch = atomic_load_explicit(&watch->stretch, memory_order_relaxed);
    if (stretch == 0 || stretch != atomic_load(&watch->ended))
        return;
    watch->reason = atomic_load(&watch->ended_reason);
    watch->options.arm(watch->running);
}

static void set_blocked(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number());
    pthread_sigmask(how, &set, NULL);
}

static void install(void)
{
    /* Reads and sleeps in a script's libraries go on behind the signal. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    int rc = sigaction(signal_number(), &action, NULL);
    assert(rc == 0);
    (void)rc;
}

void watch_init(struct watch *watch, const struct watch_options *options)
{
    *watch = (struct watch){.options = *options};
}

void watch_open(struct watch *watch)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    assert(mine == NULL);
    watch->thread = pthread_self();
    int rc = pthread_getcpuclockid(watch->thread, &watch->cpu_clock);
    assert(rc == 0);
    (void)rc;
    mine = watch;
    set_blocked(SIG_UNBLOCK);
    pthread_mutex_lock(&watchdog.mutex);
    list_append(&watchdog.watches, &watch->link);
    pthread_mutex_unlock(&watchdog.mutex);
}

void watch_close(struct watch *watch)
{
    assert(mine == watch);
    pthread_mutex_lock(&watchdog.mutex);
    list_remove(&watch->link);
    pthread_mutex_unlock(&watchdog.mutex);
    set_blocked(SIG_BLOCK);
    mine = NULL;
}

struct watch *watch_mine(void)
{
    return mine;
}

void watch_stop(struct watch *watch)
{
    atomic_store(&watch->is_stopping, true);
}

/* --- the watchdog's thread, under the mutex: no watch goes away meanwhile --- */

static int64_t cpu_ms(const struct watch *watch)
{
    struct timespec now;
    if (clock_gettime(watch->cpu_clock, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Another stretch than at the last look, or none. */
static void see(struct watch *watch, uint64_t stretch)
{
    if (atomic_exchange(&watch->stuck, 0) != 0)
        watch->options.on_stuck(watch->options.context);
    watch->seen = stretch;
    watch->asked_at_ms = 0;
    if (stretch != 0)
        watch->seen_cpu_ms = cpu_ms(watch);
}

static enum watch_reason find_reason(const struct watch *watch, int64_t now_ms)
{
    if (atomic_load(&watch->is_stopping) &&
        !atomic_load_explicit(&watch->is_closing, memory_order_relaxed))
        return WATCH_STOP;
    if (now_ms >= atomic_load_explicit(&watch->deadline_ms, memory_order_relaxed))
        return WATCH_TIME;
    int64_t limit_ms = atomic_load_explicit(&watch->cpu_limit_ms, memory_order_relaxed);
    if (limit_ms > 0 && cpu_ms(watch) - watch->seen_cpu_ms >= limit_ms)
        return WATCH_CPU;
    return WATCH_NONE;
}

static void ask(struct watch *watch, uint64_t stretch, enum watch_reason reason, int64_t now_ms)
{
    atomic_store(&watch->ended_reason, reason);
    atomic_store(&watch->ended, stretch);
    watch->asked_at_ms = now_ms;
    watch->signalled_at_ms = now_ms;
    pthread_kill(watch->thread, signal_number());
}

/* It was asked, and still runs: it may be in a C function, and nothing armed survives some. */
static void insist(struct watch *watch, int64_t now_ms)
{
    if (now_ms - watch->signalled_at_ms >= SIGNAL_AGAIN_MS) {
        watch->signalled_at_ms = now_ms;
        pthread_kill(watch->thread, signal_number());
    }
    if (atomic_load(&watch->stuck) != 0 || now_ms - watch->asked_at_ms < WATCH_STUCK_MS)
        return;
    atomic_store(&watch->stuck, watch->seen);
    watch->options.on_stuck(watch->options.context);
}

/* True when something runs. */
static bool look(struct watch *watch, int64_t now_ms)
{
    uint64_t stretch = atomic_load_explicit(&watch->stretch, memory_order_acquire);
    if (stretch != watch->seen)
        see(watch, stretch);
    if (stretch == 0)
        return false;
    if (watch->asked_at_ms != 0) {
        insist(watch, now_ms);
        return true;
    }
    enum watch_reason reason = find_reason(watch, now_ms);
    if (reason != WATCH_NONE)
        ask(watch, stretch, reason, now_ms);
    return true;
}

static bool look_at_all(void)
{
    bool is_any_running = false;
    int64_t now_ms = clock_monotonic_ms();
    for (struct link *link = watchdog.watches.next; link != &watchdog.watches; link = link->next)
        is_any_running |= look(CONTAINER_OF(link, struct watch, link), now_ms);
    return is_any_running;
}

static void *run(void *argument)
{
    (void)argument;
    thread_set_role(THREAD_UNKNOWN, "watchdog");
    pthread_mutex_lock(&watchdog.mutex);
    while (!watchdog.is_ending) {
        int pause_ms = look_at_all() ? LOOK_MS : IDLE_LOOK_MS;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += pause_ms * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&watchdog.condition, &watchdog.mutex, &until);
    }
    pthread_mutex_unlock(&watchdog.mutex);
    return NULL;
}

/* --- starting and stopping --- */

int watchdog_start(struct error *err)
{
    assert(!watchdog.is_running);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog.condition, &attributes);
    pthread_condattr_destroy(&attributes);
    watchdog.is_ending = false;
    if (thread_start(&watchdog.thread, run, NULL, err) != 0)
        return -1;
    watchdog.is_running = true;
    return 0;
}

void watchdog_stop(void)
{
    if (!watchdog.is_running)
        return;
    pthread_mutex_lock(&watchdog.mutex);
    watchdog.is_ending = true;
    pthread_cond_signal(&watchdog.condition);
    pthread_mutex_unlock(&watchdog.mutex);
    pthread_join(watchdog.thread, NULL);
    pthread_cond_destroy(&watchdog.condition);
    watchdog.is_running = false;
}

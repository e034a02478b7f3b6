#include "errand.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "error.h"
#include "thread.h"

enum { WORD_BYTES = 256, LOOK_MS = 100, LIMIT_MS = 30 * 1000 };

struct errand {
    struct errand_options options;
    pthread_t thread;
    uv_async_t ended;
    uv_timer_t looker; /* whether it still says something */
    int open_handles;
    pthread_mutex_t mutex;
    /* Under the mutex. */
    char word[WORD_BYTES];
    int64_t said_ms;
    bool has_ended;   /* its thread touches nothing of it any more, or is about to see that */
    bool is_given_up; /* main does not touch it any more, but to close its handles */
    int holders;      /* its thread and main */
};

static _Thread_local struct errand *mine;
static atomic_size_t lost;

size_t errand_lost_count(void)
{
    return atomic_load(&lost);
}

static void let_go(struct errand *errand)
{
    pthread_mutex_lock(&errand->mutex);
    bool is_last = --errand->holders == 0;
    pthread_mutex_unlock(&errand->mutex);
    if (!is_last)
        return;
    pthread_mutex_destroy(&errand->mutex);
    free(errand);
}

/* --- its thread --- */

void errand_say(const char *format, ...)
{
    struct errand *errand = mine;
    if (errand == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&errand->mutex);
    vsnprintf(errand->word, sizeof errand->word, format, arguments);
    errand->said_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&errand->mutex);
    va_end(arguments);
}

/* Under the mutex main may close the handle, or the wake-up is sent before it does. */
static void *run(void *argument)
{
    struct errand *errand = argument;
    thread_set_role(THREAD_UNKNOWN, errand->options.name);
    if (errand->options.gives_way)
        thread_give_way();
    mine = errand;
    errand->options.work(errand->options.data);
    mine = NULL;
    pthread_mutex_lock(&errand->mutex);
    bool is_given_up = errand->is_given_up;
    errand->has_ended = true;
    if (!is_given_up)
        uv_async_send(&errand->ended);
    pthread_mutex_unlock(&errand->mutex);
    if (is_given_up) {
        errand->options.drop(errand->options.data);
        atomic_fetch_sub(&lost, 1);
    }
    let_go(errand);
    return NULL;
}

/* --- main --- */

static void on_closed(uv_handle_t *handle)
{
    struct errand *errand = handle->data;
    if (--errand->open_handles == 0)
        let_go(errand);
}

/* From here on its thread sends nothing. */
static void leave(struct errand *errand)
{
    uv_close((uv_handle_t *)&errand->ended, on_closed);
    uv_close((uv_handle_t *)&errand->looker, on_closed);
    pthread_detach(errand->thread);
}

static void on_ended(uv_async_t *ended)
{
    struct errand *errand = CONTAINER_OF(ended, struct errand, ended);
    const struct errand_options options = errand->options;
    /* Its thread has the mutex until all that it wrote is written. */
    pthread_mutex_lock(&errand->mutex);
    assert(errand->has_ended);
    pthread_mutex_unlock(&errand->mutex);
    leave(errand);
    options.on_end(options.context, options.data, NULL);
}

/* False: it has ended meanwhile, and on_ended comes. */
static bool give_up(struct errand *errand)
{
    pthread_mutex_lock(&errand->mutex);
    bool has_ended = errand->has_ended;
    errand->is_given_up = !has_ended;
    if (!has_ended)
        atomic_fetch_add(&lost, 1);
    pthread_mutex_unlock(&errand->mutex);
    if (!has_ended)
        leave(errand);
    return !has_ended;
}

/* Under the mutex. */
static void word_delay(const struct errand *errand, struct error *err)
{
    error_set(
        err,
        "%s has not come to an end for %.1f s: it waits in a function that is no Lua (a file, "
        "a socket, a database), which nobody can end, so its thread is given up",
        errand->word, (double)errand->options.limit_ms / 1000);
}

static void on_look(uv_timer_t *looker)
{
    struct errand *errand = CONTAINER_OF(looker, struct errand, looker);
    const struct errand_options options = errand->options;
    struct error err;
    pthread_mutex_lock(&errand->mutex);
    bool is_late = clock_monotonic_ms() - errand->said_ms >= options.limit_ms;
    if (is_late)
        word_delay(errand, &err);
    pthread_mutex_unlock(&errand->mutex);
    if (is_late && give_up(errand))
        options.on_end(options.context, NULL, &err);
}

void errand_give_up(struct errand **errand_owned)
{
    struct errand *errand = *errand_owned;
    *errand_owned = NULL;
    if (errand == NULL || give_up(errand))
        return;
    struct errand_options options = errand->options;
    leave(errand);
    options.drop(options.data);
}

int64_t errand_limit_ms(void)
{
    const char *limit_ms = getenv("LAGOON_SPEC_ERRAND_MS");
    return limit_ms != NULL ? atoi(limit_ms) : LIMIT_MS;
}

struct errand *errand_start(const struct errand_options *options)
{
    struct errand *errand = xcalloc(1, sizeof *errand);
    struct error err;
    errand->options = *options;
    errand->said_ms = clock_monotonic_ms();
    errand->holders = 2;
    errand->open_handles = 2;
    snprintf(errand->word, sizeof errand->word, "the reading of config and scripts");
    pthread_mutex_init(&errand->mutex, NULL);
    uv_async_init(options->loop, &errand->ended, on_ended);
    uv_timer_init(options->loop, &errand->looker);
    errand->ended.data = errand;
    errand->looker.data = errand;
    if (options->limit_ms > 0)
        uv_timer_start(&errand->looker, on_look, LOOK_MS, LOOK_MS);
    if (thread_start(&errand->thread, run, errand, &err) != 0)
        abort();
    return errand;
}

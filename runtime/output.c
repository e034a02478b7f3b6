#include "output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "thread.h"

enum { ROOM_BYTES = 1024 * 1024, KEEP_BYTES = 64 * 1024 };

struct output {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* something was added, all was written, or the end was asked for */

    /* Under the mutex. */
    struct buffer waiting;
    size_t writing; /* bytes that the thread has taken and not written */
    int failure;    /* errno; 0: none */
    bool is_ending;
    bool has_ended;
};

/* 0, or errno. */
static int write_all(const struct buffer *bytes)
{
    for (size_t written = 0; written < bytes->length;) {
        ssize_t rc = write(STDOUT_FILENO, bytes->bytes + written, bytes->length - written);
        if (rc >= 0) {
            written += (size_t)rc;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* Takes all that waits, writes it unlocked, and again. */
static void *output_thread(void *argument)
{
    struct output *output = argument;
    struct buffer taken;
    buffer_init(&taken);
    pthread_mutex_lock(&output->mutex);
    while (output->waiting.length > 0 || !output->is_ending) {
        if (output->waiting.length == 0) {
            pthread_cond_wait(&output->changed, &output->mutex);
            continue;
        }
        struct buffer empty = taken;
        taken = output->waiting;
        output->waiting = empty;
        output->writing = taken.length;
        pthread_mutex_unlock(&output->mutex);

        int failure = write_all(&taken);
        buffer_clear(&taken, KEEP_BYTES);

        pthread_mutex_lock(&output->mutex);
        output->writing = 0;
        if (failure != 0) {
            output->failure = failure;
            buffer_clear(&output->waiting, 0);
        }
    }
    output->has_ended = true;
    pthread_cond_broadcast(&output->changed);
    pthread_mutex_unlock(&output->mutex);
    buffer_destroy(&taken);
    return NULL;
}

static void output_free(struct output *output)
{
    buffer_destroy(&output->waiting);
    pthread_cond_destroy(&output->changed);
    pthread_mutex_destroy(&output->mutex);
    free(output);
}

int output_start(struct output **output_started, struct error *err)
{
    struct output *output = xcalloc(1, sizeof *output);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&output->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&output->mutex, NULL);
    buffer_init(&output->waiting);
    if (thread_start(&output->thread, output_thread, output, err) != 0) {
        error_prefix(err, "standard output: ");
        output_free(output);
        return -1;
    }
    *output_started = output;
    return 0;
}

void output_add(struct output *output, const void *bytes, size_t length)
{
    pthread_mutex_lock(&output->mutex);
    if (output->failure == 0)
        buffer_append(&output->waiting, bytes, length);
    pthread_cond_broadcast(&output->changed);
    pthread_mutex_unlock(&output->mutex);
}

bool output_has_room(struct output *output)
{
    pthread_mutex_lock(&output->mutex);
    bool has_room = output->failure != 0 || output->waiting.length + output->writing < ROOM_BYTES;
    pthread_mutex_unlock(&output->mutex);
    return has_room;
}

bool output_has_failed(struct output *output)
{
    pthread_mutex_lock(&output->mutex);
    bool has_failed = output->failure != 0;
    pthread_mutex_unlock(&output->mutex);
    return has_failed;
}

/* Under the mutex: until the thread is done or time is up. */
static void wait_for_end(struct output *output, int64_t timeout_ms)
{
    int64_t until_ns = clock_monotonic_ns() + timeout_ms * 1000000;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    int rc = 0;
    while (!output->has_ended && rc == 0)
        rc = pthread_cond_timedwait(&output->changed, &output->mutex, &until);
}

int output_finish(struct output **output_owned, int64_t timeout_ms, struct error *err)
{
    struct output *output = *output_owned;
    *output_owned = NULL;
    pthread_mutex_lock(&output->mutex);
    output->is_ending = true;
    pthread_cond_broadcast(&output->changed);
    wait_for_end(output, timeout_ms);
    bool has_ended = output->has_ended;
    int failure = output->failure;
    pthread_mutex_unlock(&output->mutex);
    if (!has_ended) {
        /* Its thread hangs in a write and keeps it; the process is about to end. */
        error_set(err, "standard output: nobody reads it");
        pthread_detach(output->thread);
        return -1;
    }
    pthread_join(output->thread, NULL);
    output_free(output);
    if (failure == 0)
        return 0;
    error_set(err, "standard output: %s", strerror(failure));
    return -1;
}

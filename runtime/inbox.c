#include "inbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct inbox {
    atomic_int references;
    /* Tells the owner without the mutex that a drain pays; set under it. */
    atomic_bool has_posts;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool is_woken;
    bool is_closed;
    /* Posted and not drained. An owner has at most one live ticket for each handler it has begun,
     * so this stays small; late answers to dead tickets are drained like the others. */
    uint64_t *tickets;
    size_t count;
    size_t capacity;
};

struct inbox *inbox_new(void)
{
    struct inbox *inbox = xcalloc(1, sizeof *inbox);
    atomic_init(&inbox->references, 1);
    atomic_init(&inbox->has_posts, false);
    pthread_mutex_init(&inbox->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return inbox;
}

struct inbox *inbox_reference(struct inbox *inbox)
{
    atomic_fetch_add_explicit(&inbox->references, 1, memory_order_relaxed);
    return inbox;
}

void inbox_release(struct inbox **inbox_owned)
{
    struct inbox *inbox = *inbox_owned;
    *inbox_owned = NULL;
    if (inbox == NULL || atomic_fetch_sub(&inbox->references, 1) != 1)
        return;
    pthread_cond_destroy(&inbox->condition);
    pthread_mutex_destroy(&inbox->mutex);
    free(inbox->tickets);
    free(inbox);
}

void inbox_post(struct inbox *inbox, uint64_t ticket)
{
    pthread_mutex_lock(&inbox->mutex);
    if (!inbox->is_closed) {
        if (inbox->count == inbox->capacity) {
            inbox->capacity = inbox->capacity > 0 ? inbox->capacity * 2 : 16;
            inbox->tickets = xrealloc(inbox->tickets, inbox->capacity * sizeof inbox->tickets[0]);
        }
        inbox->tickets[inbox->count++] = ticket;
        atomic_store(&inbox->has_posts, true);
        inbox->is_woken = true;
        pthread_cond_signal(&inbox->condition);
    }
    pthread_mutex_unlock(&inbox->mutex);
}

void inbox_wake(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    inbox->is_woken = true;
    pthread_cond_signal(&inbox->condition);
    pthread_mutex_unlock(&inbox->mutex);
}

bool inbox_has_posts(struct inbox *inbox)
{
    return atomic_load_explicit(&inbox->has_posts, memory_order_relaxed);
}

size_t inbox_drain(struct inbox *inbox, uint64_t *tickets, size_t capacity)
{
    pthread_mutex_lock(&inbox->mutex);
    size_t count = inbox->count < capacity ? inbox->count : capacity;
    if (count > 0) {
        memcpy(tickets, inbox->tickets, count * sizeof tickets[0]);
        inbox->count -= count;
        memmove(inbox->tickets, inbox->tickets + count, inbox->count * sizeof tickets[0]);
        atomic_store(&inbox->has_posts, inbox->count > 0);
    }
    pthread_mutex_unlock(&inbox->mutex);
    return count;
}

void inbox_sleep(struct inbox *inbox, int64_t deadline_ms)
{
    struct timespec deadline = {deadline_ms / 1000, (deadline_ms % 1000) * 1000000};
    int rc = 0;
    pthread_mutex_lock(&inbox->mutex);
    while (!inbox->is_woken && inbox->count == 0 && rc == 0) {
        if (deadline_ms == INT64_MAX)
            pthread_cond_wait(&inbox->condition, &inbox->mutex);
        else
            rc = pthread_cond_timedwait(&inbox->condition, &inbox->mutex, &deadline);
    }
    inbox->is_woken = false;
    pthread_mutex_unlock(&inbox->mutex);
}

void inbox_close(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    inbox->is_closed = true;
    inbox->count = 0;
    atomic_store(&inbox->has_posts, false);
    pthread_mutex_unlock(&inbox->mutex);
}

#include "pool_closing.h"

#include <malloc.h>

void pool_closing_init(struct pool_closing *closing, uv_loop_t *loop,
                       void (*on_change)(void *context), void *context)
{
    *closing = (struct pool_closing){.loop = loop, .on_change = on_change, .context = context};
    pthread_mutex_init(&closing->mutex, NULL);
}

void pool_closing_add(struct pool_closing *closing, struct worker_state *state)
{
    pthread_mutex_lock(&closing->mutex);
    state->next = closing->waiting;
    closing->waiting = state;
    pthread_mutex_unlock(&closing->mutex);
    closing->on_change(closing->context);
}

/* On a helper. What states leave lies in pieces in the allocator's arenas: unless it goes back to
 * the system at once the process grows by a state's size and more before it is used again. */
static void close_batch(uv_work_t *work)
{
    struct pool_closing *closing = CONTAINER_OF(work, struct pool_closing, work);
    while (closing->batch != NULL) {
        struct worker_state *state = closing->batch;
        closing->batch = state->next;
        worker_state_free(&state);
    }
    malloc_trim(0);
}

static void on_closed(uv_work_t *work, int status)
{
    (void)status;
    struct pool_closing *closing = CONTAINER_OF(work, struct pool_closing, work);
    closing->is_under_way = false;
    pool_closing_step(closing);
    closing->on_change(closing->context);
}

void pool_closing_step(struct pool_closing *closing)
{
    if (closing->is_under_way)
        return;
    pthread_mutex_lock(&closing->mutex);
    closing->batch = closing->waiting;
    closing->waiting = NULL;
    pthread_mutex_unlock(&closing->mutex);
    if (closing->batch == NULL)
        return;
    closing->is_under_way = true;
    uv_queue_work(closing->loop, &closing->work, close_batch, on_closed);
}

bool pool_closing_is_done(struct pool_closing *closing)
{
    pthread_mutex_lock(&closing->mutex);
    bool is_empty = closing->waiting == NULL;
    pthread_mutex_unlock(&closing->mutex);
    return is_empty && !closing->is_under_way;
}

void pool_closing_destroy(struct pool_closing *closing)
{
    pthread_mutex_destroy(&closing->mutex);
}

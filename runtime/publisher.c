#include "publisher_internal.h"

#include <stdlib.h>

#include "error.h"
#include "log.h"
#include "thread.h"

/* --- events --- */

struct publisher_event *publisher_event_new(void)
{
    struct publisher_event *event = xcalloc(1, sizeof *event);
    buffer_init(&event->body);
    list_init(&event->link);
    return event;
}

void publisher_event_free(struct publisher_event **owned)
{
    struct publisher_event *event = *owned;
    *owned = NULL;
    free(event->producer);
    free(event->type);
    free(event->key);
    for (size_t i = 0; i < event->header_count; i++)
        free(event->headers[i]);
    free(event->headers);
    free(event->reason);
    buffer_destroy(&event->body);
    free(event);
}

/* --- main --- */

static void say_stuck(struct publisher *publisher)
{
    bool is_stuck = watch_is_stuck(&publisher->watch);
    if (is_stuck && !publisher->is_stuck_said)
        log_error("events over HTTP stand still: a middleware or codec is in a function that is no "
                  "Lua, and does not come back");
    publisher->is_stuck_said = is_stuck;
}

static void on_news(uv_async_t *news)
{
    struct publisher *publisher = CONTAINER_OF(news, struct publisher, news);
    struct link ended;
    list_init(&ended);
    pthread_mutex_lock(&publisher->mutex);
    list_move_all(&ended, &publisher->ended);
    bool has_stopped = publisher->has_stopped;
    pthread_mutex_unlock(&publisher->mutex);
    say_stuck(publisher);
    for (struct link *link; (link = list_pop(&ended)) != NULL;)
        publisher->options.on_end(publisher->options.context,
                                  CONTAINER_OF(link, struct publisher_event, link));
    if (!has_stopped)
        return;
    pthread_join(publisher->thread, NULL);
    publisher->options.on_stopped(publisher->options.context);
}

static void on_stuck(void *context)
{
    struct publisher *publisher = context;
    uv_async_send(&publisher->news);
}

static void on_closed(uv_handle_t *handle)
{
    struct publisher *publisher = CONTAINER_OF(handle, struct publisher, news);
    inbox_close(publisher->inbox);
    inbox_release(&publisher->inbox);
    pthread_mutex_destroy(&publisher->mutex);
    generation_release(&publisher->generation);
    if (publisher->next != NULL)
        generation_release(&publisher->next);
    free(publisher);
}

static void prepare(struct publisher *publisher)
{
    const struct watch_options watch = {bindings_arm, publisher, on_stuck};
    publisher->generation = generation_reference(publisher->options.generation);
    pthread_mutex_init(&publisher->mutex, NULL);
    list_init(&publisher->waiting);
    list_init(&publisher->ended);
    publisher->inbox = inbox_new();
    watch_init(&publisher->watch, &watch);
    for (size_t i = 0; i < PUBLISHER_MAX_BEGUN; i++) {
        publisher->hands[i].call.inbox = publisher->inbox;
        publisher->hands[i].call.ticket = i;
    }
    uv_async_init(publisher->options.loop, &publisher->news, on_news);
}

struct publisher *publisher_new(const struct publisher_options *options, struct error *err)
{
    ASSERT_ON(THREAD_MAIN);
    struct publisher *publisher = xcalloc(1, sizeof *publisher);
    publisher->options = *options;
    prepare(publisher);
    if (thread_start(&publisher->thread, publisher_thread, publisher, err) == 0)
        return publisher;
    publisher_close(&publisher);
    return NULL;
}

bool publisher_add(struct publisher *publisher, struct publisher_event **event)
{
    pthread_mutex_lock(&publisher->mutex);
    bool has_room = publisher->waiting_count < PUBLISHER_MAX_WAITING && !publisher->stops;
    if (has_room) {
        list_append(&publisher->waiting, &(*event)->link);
        publisher->waiting_count++;
        *event = NULL;
    }
    pthread_mutex_unlock(&publisher->mutex);
    if (has_room)
        inbox_wake(publisher->inbox);
    return has_room;
}

void publisher_go_by(struct publisher *publisher, struct generation *generation)
{
    pthread_mutex_lock(&publisher->mutex);
    struct generation *before = publisher->next;
    publisher->next = generation_reference(generation);
    pthread_mutex_unlock(&publisher->mutex);
    if (before != NULL)
        generation_release(&before);
    inbox_wake(publisher->inbox);
}

void publisher_stop(struct publisher *publisher)
{
    if (publisher->is_stopping)
        return;
    publisher->is_stopping = true;
    pthread_mutex_lock(&publisher->mutex);
    publisher->stops = true;
    pthread_mutex_unlock(&publisher->mutex);
    watch_stop(&publisher->watch);
    inbox_wake(publisher->inbox);
}

void publisher_close(struct publisher **publisher)
{
    uv_close((uv_handle_t *)&(*publisher)->news, on_closed);
    *publisher = NULL;
}

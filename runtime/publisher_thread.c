/* What the thread of a publisher does: it begins, wakes and ends calls, makes Lua states, sleeps.
 */
#include "publisher_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "library.h"
#include "log.h"
#include "thread.h"

enum { DRAIN_COUNT = 64 };

/* The limits of a call that is no consumer's: a consumer's defaults. */
static const struct consumer_config limits = {
    .name = (char[]){"http"},
    .group = (char[]){""},
    .handler_timeout_ms = 30000,
    .cpu_limit_ms = 1000,
};

/* --- calls --- */

/* Takes the reason. */
static void end_event(struct publisher *publisher, struct publisher_event *event,
                      enum publisher_end end, char *reason)
{
    event->end = end;
    event->reason = reason;
    pthread_mutex_lock(&publisher->mutex);
    list_append(&publisher->ended, &event->link);
    pthread_mutex_unlock(&publisher->mutex);
    uv_async_send(&publisher->news);
}

static enum publisher_end end_of(const struct call *call)
{
    if (call->outcome == OUTCOME_INTERRUPTED)
        return PUBLISHER_FAILED;
    if (call->outcome == OUTCOME_FAILED && call->fault == FAULT_HANDLER)
        return PUBLISHER_REFUSED;
    if (call->outcome == OUTCOME_FAILED)
        return PUBLISHER_FAILED;
    return call->published > 0 ? PUBLISHER_PUBLISHED : PUBLISHER_LEFT_OUT;
}

/* A limit is a mistake of a middleware or of the codec, which whoever sent the event cannot mend.
 */
static void say_fault(const struct publisher_event *event, const struct call *call)
{
    if (call->outcome == OUTCOME_FAILED && call->fault != FAULT_HANDLER)
        log_error("producer %s: an event %s over HTTP is not published: %s", event->producer,
                  event->type, call->failure);
}

/* For who sent the event: without the traceback, and without the place where our own chunk stands.
 */
static char *word_reason(const struct call *call)
{
    static const char traceback[] = "\nstack traceback:", own[] = "lua/publish_event.lua:";
    const char *text = call->failure;
    if (call->outcome == OUTCOME_INTERRUPTED)
        return xstrdup("the process stops");
    if (text == NULL)
        return NULL;
    const char *behind = strstr(text, traceback);
    size_t length = behind != NULL ? (size_t)(behind - text) : strlen(text);
    const char *message = strncmp(text, own, sizeof own - 1) == 0 ? strstr(text, ": ") : NULL;
    size_t left_out = message != NULL ? (size_t)(message + 2 - text) : 0;
    return left_out < length ? xstrndup(text + left_out, length - left_out)
                             : xstrndup(text, length);
}

static void free_idle(const struct publisher *publisher, struct state *state)
{
    if (state->begun == 0 && state != publisher->current)
        script_free(&state->script);
}

static void settle(struct publisher *publisher, struct hand *hand, enum script_result result)
{
    struct call *call = &hand->call;
    if (result == SCRIPT_WAITING)
        return;
    say_fault(hand->event, call);
    struct publisher_event *event = hand->event;
    hand->event = NULL;
    publisher->begun--;
    hand->state->begun--;
    free_idle(publisher, hand->state);
    end_event(publisher, event, end_of(call), word_reason(call));
    free(call->failure);
    call->failure = NULL;
}

static void begin(struct publisher *publisher, struct hand *hand, struct publisher_event *event)
{
    const struct library_file *file = library_find("lagoon.publish_event");
    const char **arguments = xcalloc(event->header_count + 4, sizeof arguments[0]);
    arguments[0] = event->producer;
    arguments[1] = event->type;
    arguments[2] = event->key;
    arguments[3] = event->is_raw ? "raw" : NULL;
    for (size_t i = 0; i < event->header_count; i++)
        arguments[4 + i] = event->headers[i];
    const struct script_main chunk = {
        .kind = MAIN_EVENT,
        .chunkname = file->chunkname,
        .bytes = file->bytes,
        .length = file->length,
        .arguments = arguments,
        .argument_count = event->header_count + 4,
        .body = &event->body,
    };
    hand->event = event;
    hand->is_woken = false;
    hand->state = publisher->current;
    hand->state->begun++;
    hand->call.tag = event->tag;
    publisher->begun++;
    enum script_result result = script_begin_main(hand->state->script, &hand->call, &chunk);
    free(arguments);
    settle(publisher, hand, result);
}

static void note_posts(struct publisher *publisher)
{
    uint64_t tickets[DRAIN_COUNT];
    size_t count;
    while ((count = inbox_drain(publisher->inbox, tickets, DRAIN_COUNT)) > 0)
        for (size_t i = 0; i < count; i++) {
            struct hand *hand = &publisher->hands[call_index_of_ticket(tickets[i])];
            hand->is_woken = hand->is_woken || (hand->call.wait == CALL_WAITS_TICKET &&
                                                hand->call.ticket == tickets[i]);
        }
}

static bool is_due(const struct hand *hand, int64_t now_ms)
{
    return hand->is_woken ||
           (hand->call.wait == CALL_WAITS_TIME && hand->call.wake_at_ms <= now_ms);
}

static void resume_due(struct publisher *publisher, bool stops)
{
    int64_t now_ms = clock_monotonic_ms();
    note_posts(publisher);
    for (size_t i = 0; i < PUBLISHER_MAX_BEGUN; i++) {
        struct hand *hand = &publisher->hands[i];
        if (hand->event == NULL || !(stops || is_due(hand, now_ms)))
            continue;
        if (stops)
            hand->call.interrupt = INTERRUPT_RAISED;
        hand->is_woken = false;
        settle(publisher, hand, script_resume(hand->state->script, &hand->call));
    }
}

static int64_t next_due_ms(const struct publisher *publisher)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < PUBLISHER_MAX_BEGUN; i++) {
        const struct hand *hand = &publisher->hands[i];
        if (hand->event != NULL && hand->call.wait == CALL_WAITS_TIME &&
            hand->call.wake_at_ms < next_ms)
            next_ms = hand->call.wake_at_ms;
    }
    return next_ms;
}

/* --- the state --- */

/* What begins next begins in another one. Nothing of a generation that does not serve any more is
 * held longer than what has begun in it takes. */
static void retire_state(struct publisher *publisher)
{
    pthread_mutex_lock(&publisher->mutex);
    struct generation *next = publisher->next;
    publisher->next = NULL;
    pthread_mutex_unlock(&publisher->mutex);
    struct state *state = publisher->current;
    publisher->current = NULL;
    if (state != NULL)
        free_idle(publisher, state);
    if (next == NULL)
        return;
    generation_release(&publisher->generation);
    publisher->generation = next;
}

static struct state *free_state(struct publisher *publisher)
{
    for (size_t i = 0; i < PUBLISHER_MAX_STATES; i++)
        if (publisher->states[i].script == NULL)
            return &publisher->states[i];
    return NULL;
}

static bool has_free_state(struct publisher *publisher)
{
    return free_state(publisher) != NULL ||
           (publisher->current != NULL && publisher->current->begun == 0);
}

/* -1: the scripts do not load, which may be another time. */
static int make_state(struct publisher *publisher, struct error *err)
{
    retire_state(publisher);
    struct state *state = free_state(publisher);
    assert(state != NULL); /* has_free_state */
    struct script_source source = script_source_of(publisher->generation, NULL);
    source.consumer = &limits;
    state->script = script_new(&source, err);
    bool is_broken = state->script == NULL;
    if (!is_broken)
        publisher->current = state;
    else if (!publisher->is_broken_said)
        log_error("events over HTTP cannot be published: %s", err->text);
    publisher->is_broken_said = is_broken;
    return is_broken ? -1 : 0;
}

/* What others want of the thread, and what its state is good for. */
struct look {
    bool stops;
    bool is_outdated; /* the state is, or would be, of a generation that serves no more */
    bool needs_state; /* before anything begins */
};

/* The next event, when it can begin. */
static struct publisher_event *take(struct publisher *publisher, struct look *look)
{
    struct publisher_event *event = NULL;
    pthread_mutex_lock(&publisher->mutex);
    look->stops = publisher->stops;
    look->is_outdated = publisher->next != NULL;
    look->needs_state = look->is_outdated || publisher->current == NULL ||
                        script_spoil(publisher->current->script) != SPOIL_NONE;
    bool may_begin = look->stops || (publisher->begun < PUBLISHER_MAX_BEGUN &&
                                     (!look->needs_state || has_free_state(publisher)));
    if (may_begin && !list_is_empty(&publisher->waiting)) {
        event = CONTAINER_OF(list_pop(&publisher->waiting), struct publisher_event, link);
        publisher->waiting_count--;
    }
    pthread_mutex_unlock(&publisher->mutex);
    return event;
}

static struct hand *free_hand(struct publisher *publisher)
{
    struct hand *hand = publisher->hands;
    while (hand->event != NULL)
        hand++;
    return hand;
}

static void begin_or_fail(struct publisher *publisher, struct publisher_event *event,
                          const struct look *look)
{
    struct error err;
    error_set(&err, "the process stops");
    if (!look->stops && (!look->needs_state || make_state(publisher, &err) == 0))
        begin(publisher, free_hand(publisher), event);
    else
        end_event(publisher, event, PUBLISHER_FAILED, xstrdup(err.text));
}

void *publisher_thread(void *argument)
{
    struct publisher *publisher = argument;
    struct look look = {0};
    thread_set_role(THREAD_WORKER, "publish/0");
    watch_open(&publisher->watch);
    watch_limit_cpu(&publisher->watch, limits.cpu_limit_ms);
    for (;;) {
        resume_due(publisher, look.stops);
        struct publisher_event *event = take(publisher, &look);
        if (event != NULL)
            begin_or_fail(publisher, event, &look);
        else if (publisher->begun == 0 && look.stops)
            break;
        else if (look.is_outdated && !look.stops)
            retire_state(publisher);
        else if (!look.stops)
            inbox_sleep(publisher->inbox, next_due_ms(publisher));
    }
    watch_close(&publisher->watch);
    retire_state(publisher);
    pthread_mutex_lock(&publisher->mutex);
    publisher->has_stopped = true;
    uv_async_send(&publisher->news); /* under the mutex: main closes it only behind that */
    pthread_mutex_unlock(&publisher->mutex);
    return NULL;
}

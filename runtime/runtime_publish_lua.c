/* Events that came over HTTP, by producers of which a part is Lua. */
#include "runtime_publish_internal.h"

#include <stdlib.h>

bool publishing_is_lua(const struct producer_config *config)
{
    return config->middlewares.count > 0 || config->codec.codec == CODEC_MODULE;
}

/* What is on its way is answered by its report. */
static void answer_lua(struct event *event, const struct publisher_event *lua)
{
    struct error err;
    error_set(&err, "%s", lua->reason != NULL ? lua->reason : "it is not published");
    if (lua->end == PUBLISHER_LEFT_OUT)
        error_set(&err, "a middleware of producer '%s' has left the event out", lua->producer);
    if (lua->end != PUBLISHER_PUBLISHED)
        publishing_answer_error(event,
                                lua->end == PUBLISHER_FAILED    ? ADMIN_UNAVAILABLE
                                : lua->end == PUBLISHER_REFUSED ? ADMIN_BAD
                                                                : ADMIN_REFUSED,
                                &err);
}

/* The report, or the end of the time, may have come before. */
static void on_lua_end(void *context, struct publisher_event *lua)
{
    (void)context;
    struct event *event = lua->context;
    if (event != NULL) {
        event->lua = NULL;
        answer_lua(event, lua);
    }
    publisher_event_free(&lua);
}

static void on_lua_stopped(void *context)
{
    struct publishing *publishing = context;
    publishing->producers->connecting--;
    publishing->on_idle(publishing->context);
}

/* Its thread uses the producers until it has ended. */
static int open_publisher(struct publishing *publishing, struct generation *generation,
                          struct error *err)
{
    const struct publisher_options options = {
        .loop = publishing->loop,
        .generation = generation,
        .context = publishing,
        .on_end = on_lua_end,
        .on_stopped = on_lua_stopped,
    };
    if (publishing->publisher != NULL)
        return 0;
    publishing->publisher = publisher_new(&options, err);
    if (publishing->publisher == NULL)
        return -1;
    publishing->producers->connecting++;
    return 0;
}

/* A copy: who waits no longer is answered while it runs. */
static struct publisher_event *copy(const struct event *event, const struct producer_config *config)
{
    struct publisher_event *lua = publisher_event_new();
    size_t length;
    const char *body = admin_request_body(event->request, &length);
    lua->producer = xstrdup(config->name);
    lua->type = xstrdup(admin_request_name(event->request, 1));
    lua->key = event->has_key ? xstrndup(event->key.bytes, event->key.length) : NULL;
    lua->is_raw = event->is_raw;
    lua->tag = event->tag;
    buffer_append(&lua->body, body, length);
    lua->headers = xcalloc(2 * event->header_count + 1, sizeof lua->headers[0]);
    for (size_t i = 0; i < event->header_count; i++) {
        lua->headers[lua->header_count++] = xstrdup(event->headers[i].name);
        lua->headers[lua->header_count++] = xstrdup(event->headers[i].value);
    }
    return lua;
}

void publishing_begin_lua(struct event *event, struct generation *generation,
                          const struct producer_config *config)
{
    struct publishing *publishing = event->publishing;
    struct error err;
    if (open_publisher(publishing, generation, &err) != 0) {
        publishing_answer_error(event, ADMIN_UNAVAILABLE, &err);
        return;
    }
    struct publisher_event *lua = copy(event, config);
    lua->context = event;
    event->lua = lua;
    if (publisher_add(publishing->publisher, &lua))
        return;
    event->lua = NULL;
    publisher_event_free(&lua);
    error_set(&err, "%d events wait for their middlewares", PUBLISHER_MAX_WAITING);
    publishing_answer_error(event, ADMIN_UNAVAILABLE, &err);
}

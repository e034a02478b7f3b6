/* What can be asked of the running program over HTTP: the same as verbs may ask by its socket. */
#include "runtime_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "exit_code.h"
#include "json_writer.h"
#include "log.h"

enum {
    MAX_EVENT_BYTES = 1024 * 1024, /* what Kafka takes by default */
    SCRAPES = 4,                   /* are made at most within so long: */
    SCRAPES_MS = 20,
};

/* --- probes and metrics --- */

/* Anybody may ask, however often, and making them is dear: a flood gets what was made just before.
 */
static const struct buffer *scrape(struct runtime *runtime)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - runtime->scrape.since_ms >= SCRAPES_MS) {
        runtime->scrape.since_ms = now_ms;
        runtime->scrape.made = 0;
    }
    if (runtime->scrape.made < SCRAPES) {
        buffer_clear(&runtime->scrape.body, SIZE_MAX);
        runtime_write_metrics(runtime, &runtime->scrape.body);
        runtime->scrape.made++;
    }
    return &runtime->scrape.body;
}

static void answer_metrics(void *context, struct admin_request *request)
{
    const struct buffer *made = scrape(context);
    struct buffer body;
    buffer_init(&body);
    buffer_append(&body, made->bytes, made->length);
    admin_answer(request, ADMIN_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static void answer_ready(void *context, struct admin_request *request)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body);
    json_writer_init(&writer, &body);
    json_begin_object(&writer, NULL);
    bool is_ready = runtime_write_health(context, &writer);
    json_end_object(&writer);
    admin_answer(request, is_ready ? ADMIN_OK : ADMIN_UNAVAILABLE, NULL, &body);
}

/* --- commands --- */

static enum admin_status status_of(enum control_end end)
{
    static const enum admin_status statuses[] = {
        [CONTROL_DONE] = ADMIN_OK,
        [CONTROL_BAD] = ADMIN_BAD,
        [CONTROL_UNKNOWN] = ADMIN_UNKNOWN,
        [CONTROL_REFUSED] = ADMIN_REFUSED,
    };
    return statuses[end];
}

/* Without a body nothing but the path says what is asked. */
static int read_request(struct control_request *asked, const struct admin_request *request,
                        struct error *err)
{
    size_t length;
    const char *body = admin_request_body(request, &length);
    if (strlen(body) != length) {
        error_set(err, "the request is not understood: it has a NUL");
        return -1;
    }
    return control_request_parse(asked, length > 0 ? body : "{}", err);
}

static enum control_end run(struct runtime *runtime, const struct admin_request *request,
                            struct buffer *answer, struct error *err)
{
    struct control_request asked;
    const char *name = admin_request_name(request, 0);
    if (read_request(&asked, request, err) != 0)
        return CONTROL_BAD;
    const struct control_command *command = runtime_command(admin_request_route(request)->word);
    assert(command != NULL);
    if (name != NULL)
        control_request_set(&asked, "consumer", name);
    enum control_end end = control_run(command, runtime, &asked, answer, err);
    control_request_destroy(&asked);
    return end;
}

static void answer_command(void *context, struct admin_request *request)
{
    struct buffer answer;
    struct error err;
    buffer_init(&answer);
    enum control_end end = run(context, request, &answer, &err);
    if (end == CONTROL_DONE) {
        admin_answer(request, ADMIN_OK, NULL, &answer);
        return;
    }
    buffer_destroy(&answer);
    admin_answer_error(request, status_of(end), &err);
}

/* --- events --- */

static void answer_publish(void *context, struct admin_request *request)
{
    struct runtime *runtime = context;
    struct error err;
    const char *name = admin_request_name(request, 0);
    const struct producer_config *producer = config_producer(runtime->config, name);
    if (runtime->phase != PHASE_RUNNING || !connections_are_ready(&runtime->connections)) {
        error_set(&err, runtime->phase != PHASE_RUNNING ? "the process stops"
                                                        : "a cluster has not answered yet");
        admin_answer_error(request, ADMIN_UNAVAILABLE, &err);
    } else if (producer == NULL) {
        error_set(&err, "there is no producer '%s' in %s", name, runtime->config->path);
        admin_answer_error(request, ADMIN_UNKNOWN, &err);
    } else {
        size_t index = (size_t)(producer - runtime->config->producers);
        publishing_begin(&runtime->publishing, runtime->reload.serving, index, request);
    }
}

static const struct admin_route routes[] = {
    {"GET", "/live", NULL, NULL, 0, false},
    {"GET", "/ready", answer_ready, NULL, 0, false},
    {"GET", "/metrics", answer_metrics, NULL, 0, false},
    {"GET", "/v1/status", answer_command, "status", 0, false},
    {"POST", "/v1/reload", answer_command, "reload", 0, false},
    {"POST", "/v1/rollback", answer_command, "rollback", 0, false},
    {"POST", "/v1/log-level", answer_command, "log-level", 0, false},
    {"POST", "/v1/consumers/*/pause", answer_command, "pause", 0, false},
    {"POST", "/v1/consumers/*/resume", answer_command, "resume", 0, false},
    {"POST", "/v1/consumers/*/seek", answer_command, "seek", 0, false},
    {"POST", "/v1/consumers/*/workers", answer_command, "workers", 0, false},
    {"POST", "/v1/producers/*/*", answer_publish, NULL, MAX_EVENT_BYTES, true},
};

/* --- its start --- */

static void start(struct runtime *runtime, const char *listen)
{
    struct admin_options options = {
        .loop = &runtime->loop,
        .token = runtime->config->admin_token,
        .routes = routes,
        .route_count = ARRAY_LENGTH(routes),
        .context = runtime,
    };
    struct error err;
    enum admin_listen_result result = ADMIN_FAILED;
    const char *place = listen != NULL ? listen : ADMIN_DEFAULT_LISTEN;
    if (admin_address_parse(&options.address, place, &err) == 0)
        result = admin_start(&runtime->admin, &options, &err);
    if (result == ADMIN_LISTENS) {
        log_info("admin: %s%s", admin_url(runtime->admin),
                 options.token == NULL && !options.address.is_local
                     ? ", without /v1: the config has no admin.token"
                     : "");
    } else if (listen == NULL) {
        log_warn("admin: %s: it runs without an admin server; --listen takes another address",
                 err.text);
    } else {
        log_error("admin: %s; --listen takes another address, or false for none", err.text);
        runtime_stop(runtime, EXIT_CONFIG);
    }
}

/* The flag goes before the config. Nobody who wrote down no address relies on one. */
void runtime_open_admin(struct runtime *runtime)
{
    const struct runtime_options *options = runtime->options;
    const char *listen = options->listen != NULL ? options->listen : runtime->config->admin_listen;
    bool is_wanted = options->listen != NULL ? strcmp(options->listen, "false") != 0
                                             : runtime->config->has_admin;
    if (options->is_controlled && is_wanted)
        start(runtime, listen);
}

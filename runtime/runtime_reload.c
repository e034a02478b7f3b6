/* The reloads of a running program: who asks for them, and what they change beside the states. */
#include "runtime_internal.h"

#include <signal.h>
#include <string.h>

#include "error.h"
#include "log.h"

static bool is_same_file(const struct bundle_file *one, const struct bundle_file *other)
{
    return one != NULL && other != NULL && one->length == other->length &&
           (one->length == 0 || memcmp(one->bytes, other->bytes, one->length) == 0);
}

/* A script that runs beside the consumers is in the middle of something, and stays what it was. */
static void say_traffic(const struct runtime *runtime, const struct generation *generation)
{
    const struct script_main *main = runtime->options->main;
    if (main == NULL || main->kind != MAIN_TRAFFIC ||
        is_same_file(bundle_find(runtime->options->bundle, "dev"),
                     bundle_find(generation->bundle, "dev")))
        return;
    log_warn("generation %llu: %s goes on as it began; what was changed in it takes another start",
             (unsigned long long)generation->number, main->chunkname + 1);
}

/* What changes without a new Lua state. */
static void on_change(void *context, const struct generation *generation)
{
    struct runtime *runtime = context;
    runtime->config = generation->config;
    producers_go_by(&runtime->producers, generation);
    publishing_go_by(&runtime->publishing, runtime->reload.serving);
    log_set_level(generation->config->log_level);
    say_traffic(runtime, generation);
    shared_set_limit(runtime->shared, generation->config->shared_memory_limit_bytes);
    runtime->stop_timeout_ms = generation->config->stop_timeout_ms;
}

void runtime_provide(void *context, struct generation *generation)
{
    struct runtime *runtime = context;
    generation->host.output = runtime->options->output;
    generation->host.shared = runtime->shared;
    producers_give(&runtime->producers, generation);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    struct runtime *runtime = handle->data;
    log_info("SIGHUP: reloading");
    reload_ask(&runtime->reload, RELOAD_ASKED);
}

static struct generation *serving(void *context)
{
    return ((struct runtime *)context)->reload.serving;
}

static void on_files_changed(void *context)
{
    reload_ask(&((struct runtime *)context)->reload, RELOAD_WATCHED);
}

static void make_watch(struct runtime *runtime)
{
    const struct reload_watch_options options = {
        .loop = &runtime->loop,
        .sign = runtime->options->sign,
        .sign_context = runtime->options->read_context,
        .context = runtime,
        .serving = serving,
        .on_change = on_files_changed,
    };
    reload_watch_init(&runtime->watch, &options);
    if (!runtime->options->is_watched)
        return;
    log_info("watching config and scripts: a change is reloaded");
    reload_watch_start(&runtime->watch);
}

void runtime_open_reload(struct runtime *runtime)
{
    const struct reload_options options = {
        .loop = &runtime->loop,
        .first = runtime->first,
        .config = runtime->options->config,
        .provide = runtime_provide,
        .connections = &runtime->connections,
        .crew = &runtime->crew,
        .context = runtime,
        .read_context = runtime->options->read_context,
        .read = runtime->options->read,
        .on_change = on_change,
    };
    reload_init(&runtime->reload, &options);
    uv_signal_init(&runtime->loop, &runtime->hangup);
    runtime->hangup.data = runtime;
    /* In dev it is most likely the terminal that is gone. */
    if (runtime->options->read != NULL && runtime->options->embedded_brokers == NULL)
        uv_signal_start(&runtime->hangup, on_hangup, SIGHUP);
    make_watch(runtime);
}

/* `lagoon handle`: one record through a consumer's handlers, without Kafka. */
#include "verb.h"

#include <stdio.h>
#include <unistd.h>

#include "application.h"
#include "error.h"
#include "exit_code.h"
#include "handle.h"
#include "http.h"
#include "verb_arguments.h"
#include "watchdog.h"

static void on_stuck(void *context)
{
    (void)context;
}

/* Prints what came of it, ended by the consumer's limits if need be. */
static int run_watched(struct handle *handle, const struct handle_request *request, bool *is_good,
                       struct error *err)
{
    const struct watch_options options = {
        .arm = bindings_arm,
        .on_stuck = on_stuck,
    };
    struct watch watch;
    if (watchdog_start(err) != 0)
        return -1;
    watch_init(&watch, &options);
    watch_limit_cpu(&watch, request->consumer->cpu_limit_ms);
    watch_open(&watch);
    int rc = handle_print(handle, request, is_good, err);
    watch_close(&watch);
    watchdog_stop();
    return rc;
}

/* Handles the record in a state of its own, whose only producer is the recorder. */
static int run_record(const struct application *application, struct recorder *recorder,
                      const struct handle_request *request)
{
    struct shared *shared = shared_new(application->config->shared_memory_limit_bytes);
    const struct bindings_host host = {
        .config = application->config, .generation = 1, .shared = shared, .recorder = recorder};
    const struct script_source source = {
        .host = &host, .bundle = application->bundle, .consumer = request->consumer};
    struct error err;
    bool is_good = false;
    struct handle handle = {script_new(&source, &err), recorder, request->consumer};
    if (handle.script == NULL) {
        shared_free(&shared);
        fprintf(stderr, "%s\n", err.text);
        return EXIT_CONFIG;
    }
    int rc = run_watched(&handle, request, &is_good, &err);
    script_free(&handle.script);
    shared_free(&shared);
    http_stop();
    if (rc == 0)
        return is_good ? EXIT_OK : EXIT_FAILED;
    fprintf(stderr, "lagoon handle: %s\n", err.text);
    return EXIT_INTERNAL;
}

static int handle(const struct application *application, const struct command_line *line)
{
    const struct handle_request request = {
        .consumer = config_consumer(application->config, line->arguments[0]),
        .type = line->argument_count > 1 ? line->arguments[1] : NULL,
        .key = line->key,
        .headers = line->headers,
        .header_count = line->header_count,
        .is_tombstone = line->is_tombstone,
        .is_json = line->is_json,
    };
    if (request.consumer == NULL) {
        verb_say_no_consumer("handle", application->config, line->arguments[0]);
        return EXIT_USAGE;
    }
    if (verb_check_headers("handle", line) != 0)
        return EXIT_USAGE;
    if (!line->is_tombstone && isatty(STDIN_FILENO))
        fprintf(stderr, "lagoon handle: reads the record's value; Ctrl-D ends it\n");
    struct recorder recorder;
    recorder_init(&recorder, application->config);
    int exit_code = run_record(application, &recorder, &request);
    recorder_destroy(&recorder);
    return exit_code;
}

int verb_handle(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, line->is_dev);
    if (exit_code != 0)
        return exit_code;
    exit_code = handle(&application, line);
    application_destroy(&application);
    return exit_code;
}

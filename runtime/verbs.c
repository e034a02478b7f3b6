#include "verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "broker.h"
#include "dev_broker.h"
#include "error.h"
#include "exit_code.h"
#include "library.h"
#include "runtime.h"

static void say_notices(const struct config *config)
{
    for (size_t i = 0; i < config->notice_count; i++)
        log_info("%s", config->notices[i]);
}

/* --- run --- */

/* --only names a side or a consumer. */
static int check_only(const struct config *config, const char *only)
{
    if (only == NULL || strcmp(only, "producers") == 0 || strcmp(only, "consumers") == 0 ||
        config_consumer(config, only) != NULL)
        return 0;
    fprintf(stderr,
            "lagoon run: --only %s: it is producers, consumers, or a consumer's name:", only);
    for (size_t i = 0; i < config->consumer_count; i++)
        fprintf(stderr, " %s", config->consumers[i].name);
    fprintf(stderr, "\n");
    return EXIT_USAGE;
}

int verb_run(const struct command_line *line)
{
    struct application application;
    struct runtime_result result;
    int exit_code = application_load(&application, line, false);
    if (exit_code != 0)
        return exit_code;
    exit_code = check_only(application.config, line->only);
    if (exit_code == 0) {
        say_notices(application.config);
        const struct runtime_options options = {
            .config = application.config,
            .bundle = application.bundle,
            .only = line->only,
        };
        exit_code = runtime_run(&options, &result);
    }
    application_destroy(&application);
    return exit_code;
}

/* --- dev --- */

static int run_dev(const struct application *application, const struct dev_broker *broker)
{
    const struct bundle_file *traffic = bundle_find(application->bundle, "dev");
    log_info("in dev the brokers and security properties of the config are set aside");
    char chunkname[512] = "";
    struct worker_main main = {0};
    if (traffic != NULL) {
        snprintf(chunkname, sizeof chunkname, "@%s", traffic->path);
        main = (struct worker_main){chunkname, traffic->bytes, traffic->length, NULL, 0};
        log_info("traffic comes from %s", traffic->path);
    }
    const struct runtime_options options = {
        .config = application->config,
        .bundle = application->bundle,
        .embedded_brokers = broker->address,
        .main = traffic != NULL ? &main : NULL,
    };
    struct runtime_result result;
    int exit_code = runtime_run(&options, &result);
    free(result.main_failure);
    return exit_code;
}

int verb_dev(const struct command_line *line)
{
    struct application application;
    struct dev_broker broker;
    struct error err;
    int exit_code = application_load(&application, line, true);
    if (exit_code != 0)
        return exit_code;
    say_notices(application.config);
    if (dev_broker_start(&broker, application.config, line->port, &err) != 0) {
        log_error("%s", err.text);
        exit_code = EXIT_INTERNAL;
    } else {
        exit_code = run_dev(&application, &broker);
        dev_broker_stop(&broker);
    }
    application_destroy(&application);
    return exit_code;
}

/* --- broker --- */

int verb_broker(const struct command_line *line)
{
    const struct broker_options options = {
        .port = line->port >= 0 ? line->port : BROKER_DEFAULT_PORT,
        .is_any_from = line->is_child && line->port < 0,
        .is_child = line->is_child,
        .topics = line->topics,
        .topic_count = line->topic_count,
    };
    return broker_main(&options);
}

/* --- check --- */

static void say_count(size_t count, const char *what, const char *behind)
{
    printf(" %zu %s%s%s", count, what, count == 1 ? "" : "s", behind);
}

int verb_check(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, false);
    if (exit_code != 0)
        return exit_code;
    const struct config *config = application.config;
    for (size_t i = 0; i < config->notice_count; i++)
        printf("%s\n", config->notices[i]);
    printf("%s: good:", config->path);
    say_count(config->topic_count, "topic", ",");
    say_count(config->producer_count, "producer", ",");
    say_count(config->consumer_count, "consumer", ",");
    say_count(application.bundle->count, "script file", "\n");
    application_destroy(&application);
    return EXIT_OK;
}

/* --- publish --- */

static int check_publish(const struct config *config, const struct command_line *line)
{
    if (config_producer(config, line->arguments[0]) == NULL) {
        fprintf(stderr,
                "lagoon publish: there is no producer '%s' in %s; it has:", line->arguments[0],
                config->path);
        for (size_t i = 0; i < config->producer_count; i++)
            fprintf(stderr, " %s", config->producers[i].name);
        fprintf(stderr, "\n");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < line->header_count; i++) {
        if (strchr(line->headers[i], '=') > line->headers[i])
            continue;
        fprintf(stderr, "lagoon publish: --header takes NAME=VALUE, got '%s'\n", line->headers[i]);
        return EXIT_USAGE;
    }
    return 0;
}

static void say_published(const struct runtime_result *result)
{
    double seconds = (double)result->elapsed_ms / 1000;
    printf("published %" PRIu64 " event%s in %.1f s", result->acknowledged,
           result->acknowledged == 1 ? "" : "s", seconds);
    if (seconds > 0)
        printf(" (%.0f a second)", (double)result->acknowledged / seconds);
    if (result->refused > 0)
        printf(", %" PRIu64 " refused", result->refused);
    printf("\n");
}

static int run_publish(const struct application *application, const struct command_line *line)
{
    const char *arguments[3 + COMMAND_LINE_MAX_REPEATS] = {line->arguments[0], line->arguments[1],
                                                           line->key};
    for (size_t i = 0; i < line->header_count; i++)
        arguments[3 + i] = line->headers[i];
    const struct library_file *file = library_find("lagoon.publish");
    const struct worker_main main = {file->chunkname, file->bytes, file->length, arguments,
                                     3 + line->header_count};
    const struct runtime_options options = {
        .config = application->config,
        .bundle = application->bundle,
        .main = &main,
        .is_main_all = true,
        .timeout_ms = line->timeout_ms,
    };
    struct runtime_result result;
    int exit_code = runtime_run(&options, &result);
    if (exit_code == EXIT_OK || exit_code == EXIT_UNFINISHED || result.acknowledged > 0)
        say_published(&result);
    if (result.main_failure != NULL)
        fprintf(stderr, "lagoon publish: %s\n", result.main_failure);
    if (exit_code == EXIT_OK && (result.main_failure != NULL || result.refused > 0))
        exit_code = EXIT_UNFINISHED;
    free(result.main_failure);
    return exit_code;
}

int verb_publish(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, false);
    if (exit_code != 0)
        return exit_code;
    exit_code = check_publish(application.config, line);
    if (exit_code == 0)
        exit_code = run_publish(&application, line);
    application_destroy(&application);
    return exit_code;
}

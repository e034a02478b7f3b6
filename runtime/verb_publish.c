/* `lagoon publish`: lines of standard input become records. */
#include "verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "error.h"
#include "exit_code.h"
#include "library.h"
#include "runtime.h"

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
    const struct script_main main = {
        .kind = MAIN_OWN,
        .chunkname = file->chunkname,
        .bytes = file->bytes,
        .length = file->length,
        .arguments = arguments,
        .argument_count = 3 + line->header_count,
    };
    const struct runtime_options options = {
        .config = application->config,
        .bundle = application->bundle,
        .main = &main,
        .cluster = config_producer(application->config, line->arguments[0])->cluster,
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

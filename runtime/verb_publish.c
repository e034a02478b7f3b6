/* `lagoon publish`: lines of standard input become records. */
#include "verb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "application.h"
#include "error.h"
#include "exit_code.h"
#include "library.h"
#include "output.h"
#include "runtime.h"
#include "verb_arguments.h"

/* What is left of standard output may take so long once all else has ended. */
enum { OUTPUT_END_MS = 5000, LOG_END_MS = 1000 };

struct publishing {
    struct output *acks; /* NULL: nobody asked for them */
    struct buffer line;
};

/* --- the command line --- */

static int check_publish(const struct config *config, const struct command_line *line)
{
    if (config_producer(config, line->arguments[0]) == NULL) {
        verb_say_no_producer("publish", config, line->arguments[0]);
        return EXIT_USAGE;
    }
    return verb_check_headers("publish", line) != 0 ? EXIT_USAGE : 0;
}

/* --- what comes back --- */

/* Reasons are sentences of ours and of librdkafka: a control character in one is a mistake. */
static void append_json_text(struct buffer *line, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append(line, "\\", 1);
        buffer_append(line, (unsigned char)*text < 0x20 ? " " : text, 1);
    }
}

static void add_ack(struct publishing *publishing, const struct loose_report *report)
{
    struct buffer *line = &publishing->line;
    buffer_clear(line, 4096);
    buffer_format(line, "{\"line\":%" PRIu64 ",\"topic\":\"%s\",", report->tag, report->topic);
    if (report->reason == NULL) {
        buffer_format(line, "\"partition\":%d,\"offset\":%" PRId64 "}\n", (int)report->partition,
                      report->offset);
    } else {
        buffer_append_text(line, "\"error\":\"");
        append_json_text(line, report->reason);
        buffer_append_text(line, "\"}\n");
    }
    output_add(publishing->acks, line->bytes, line->length);
}

static void on_report(void *context, const struct loose_report *report)
{
    struct publishing *publishing = context;
    if (publishing->acks != NULL)
        add_ack(publishing, report);
    if (report->reason == NULL || report->is_given_up)
        return;
    char *text = xasprintf("line %" PRIu64 ": refused: %s", report->tag, report->reason);
    log_say(text);
    free(text);
}

static void on_progress(void *context, const struct runtime_result *result)
{
    (void)context;
    char text[80];
    snprintf(text, sizeof text, "%" PRIu64 " published, %.0f a second", result->acknowledged,
             (double)result->acknowledged * 1000 / (double)result->elapsed_ms);
    log_set_status(text);
}

static void say_published(FILE *stream, const struct runtime_result *result)
{
    double seconds = (double)result->elapsed_ms / 1000;
    fprintf(stream, "published %" PRIu64 " event%s in %.1f s", result->acknowledged,
            result->acknowledged == 1 ? "" : "s", seconds);
    if (seconds > 0)
        fprintf(stream, " (%.0f a second)", (double)result->acknowledged / seconds);
    if (result->refused > 0)
        fprintf(stream, ", %" PRIu64 " refused", result->refused);
    fprintf(stream, "\n");
    fflush(stream);
}

/* --- publishing --- */

static int end_code(int exit_code, const struct publishing *publishing,
                    const struct runtime_result *result)
{
    log_set_status(NULL);
    log_flush(LOG_END_MS);
    if (exit_code == EXIT_OK || exit_code == EXIT_UNFINISHED || result->acknowledged > 0)
        say_published(publishing->acks != NULL ? stderr : stdout, result);
    if (result->main_failure != NULL)
        fprintf(stderr, "lagoon publish: %s\n", result->main_failure);
    if (exit_code == EXIT_OK && (result->main_failure != NULL || result->refused > 0))
        return EXIT_UNFINISHED;
    return exit_code;
}

static int end_acks(struct publishing *publishing, int exit_code)
{
    struct error err;
    buffer_destroy(&publishing->line);
    if (publishing->acks == NULL || output_finish(&publishing->acks, OUTPUT_END_MS, &err) == 0)
        return exit_code;
    fprintf(stderr, "lagoon publish: %s\n", err.text);
    return exit_code == EXIT_OK ? EXIT_UNFINISHED : exit_code;
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
    struct publishing publishing = {0};
    struct error err;
    if (line->wants_acks && output_start(&publishing.acks, &err) != 0) {
        fprintf(stderr, "lagoon publish: %s\n", err.text);
        return EXIT_INTERNAL;
    }
    const struct runtime_options options = {
        .config = application->config,
        .bundle = application->bundle,
        .cluster = config_producer(application->config, line->arguments[0])->cluster,
        .main = &main,
        .is_main_all = true,
        .embedded_brokers = (const char *const *)application->dev.addresses,
        .output = publishing.acks,
        .context = &publishing,
        .on_report = on_report,
        .on_progress = isatty(STDIN_FILENO) ? NULL : on_progress, /* beside what is typed */
        .timeout_ms = line->timeout_ms,
    };
    struct runtime_result result;
    int exit_code = runtime_run(&options, &result);
    exit_code = end_code(exit_code, &publishing, &result);
    free(result.main_failure);
    return end_acks(&publishing, exit_code);
}

int verb_publish(const struct command_line *line)
{
    struct application application;
    int exit_code = application_load(&application, line, line->is_dev);
    if (exit_code != 0)
        return exit_code;
    exit_code = check_publish(application.config, line);
    if (exit_code == 0)
        exit_code = application_find_dev(&application, line);
    if (exit_code == 0 && isatty(STDIN_FILENO))
        fprintf(stderr, "lagoon publish: reads a line of JSON for each %s; Ctrl-D ends it\n",
                line->argument_count > 1 ? "event" : "record");
    if (exit_code == 0)
        exit_code = run_publish(&application, line);
    application_destroy(&application);
    return exit_code;
}

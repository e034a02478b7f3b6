/* Verbs that change one thing of a running lagoon: pause, workers, log-level; and health, which
 * changes nothing. */
#include <stdio.h>
#include <string.h>

#include "control_client.h"
#include "exit_code.h"
#include "json_writer.h"
#include "units.h"
#include "verb.h"
#include "verb_control.h"

enum { NOT_READY = 1 };

static void begin_request(struct buffer *request, struct json_writer *writer, const char *command)
{
    buffer_init(request);
    json_writer_init(writer, request);
    json_begin_object(writer, NULL);
    json_write_text(writer, "command", command);
}

/* Asks and prints in the words of lua/answers/WORDING.lua. */
static int ask(const char *verb, const char *wording, const struct command_line *line,
               struct buffer *request, struct json_writer *writer)
{
    json_end_object(writer);
    int exit_code = verb_ask(verb, wording, line, request);
    buffer_destroy(request);
    return exit_code;
}

int verb_pause(const struct command_line *line)
{
    struct buffer request;
    struct json_writer writer;
    begin_request(&request, &writer, "pause");
    json_write_text(&writer, "consumer", line->arguments[0]);
    return ask("pause", "pause", line, &request, &writer);
}

int verb_log_level(const struct command_line *line)
{
    struct buffer request;
    struct json_writer writer;
    begin_request(&request, &writer, "log-level");
    json_write_text(&writer, "level", line->arguments[0]);
    return ask("log-level", "log_level", line, &request, &writer);
}

/* 0 for auto; -1, said, when the text is neither. */
static int64_t parse_workers(const char *text)
{
    int64_t number;
    if (strcmp(text, "auto") == 0)
        return 0;
    if (integer_parse(text, 1, 1000, &number) == 0)
        return number;
    fprintf(stderr, "lagoon workers: a number from 1 to 1000, or auto; got '%s'\n", text);
    return -1;
}

int verb_workers(const struct command_line *line)
{
    struct buffer request;
    struct json_writer writer;
    int64_t workers = parse_workers(line->arguments[1]);
    if (workers < 0)
        return EXIT_USAGE;
    begin_request(&request, &writer, "workers");
    json_write_text(&writer, "consumer", line->arguments[0]);
    json_write_integer(&writer, "workers", workers);
    if (line->for_ms > 0)
        json_write_integer(&writer, "for_ms", line->for_ms);
    return ask("workers", "workers", line, &request, &writer);
}

/* The wording alone knows whether the answer says ready. For whoever probes there is one failure.
 */
int verb_health(const struct command_line *line)
{
    struct buffer request, answer;
    struct json_writer writer;
    begin_request(&request, &writer, "health");
    json_end_object(&writer);
    buffer_init(&answer);
    int exit_code = verb_ask_only("health", line, &request, &answer);
    if (exit_code == EXIT_OK)
        exit_code = verb_print("health", "health", line, &answer);
    static const char ready[] = "{\"ready\":true";
    if (exit_code == EXIT_OK &&
        (answer.length < sizeof ready || strncmp(answer.bytes, ready, sizeof ready - 1) != 0))
        exit_code = NOT_READY;
    buffer_destroy(&answer);
    buffer_destroy(&request);
    return exit_code == EXIT_OK || exit_code == EXIT_USAGE ? exit_code : NOT_READY;
}

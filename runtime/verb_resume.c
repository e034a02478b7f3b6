/* `lagoon resume CONSUMER`: partitions that a failed record has stopped start again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "exit_code.h"
#include "json_writer.h"
#include "verb.h"
#include "verb_control.h"

/* -1, said, when the text is no whole number from 0 to `max`; nothing is written without a text. */
static int write_number(struct json_writer *writer, const char *name, const char *text, int64_t max)
{
    if (text == NULL)
        return 0;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < 0 || number > max) {
        fprintf(stderr, "lagoon resume: --%s takes a whole number from 0, got '%s'\n", name, text);
        return -1;
    }
    json_write_integer(writer, name, number);
    return 0;
}

static int write_request(struct json_writer *writer, const struct command_line *line)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "command", "resume");
    json_write_text(writer, "consumer", line->arguments[0]);
    if (line->topic != NULL)
        json_write_text(writer, "topic", line->topic);
    if (write_number(writer, "partition", line->partition, INT32_MAX) != 0 ||
        write_number(writer, "skip", line->skip, INT64_MAX) != 0)
        return -1;
    json_end_object(writer);
    return 0;
}

int verb_resume(const struct command_line *line)
{
    struct buffer request;
    struct json_writer writer;
    buffer_init(&request);
    json_writer_init(&writer, &request);
    int exit_code = EXIT_USAGE;
    if (write_request(&writer, line) == 0)
        exit_code = verb_ask("resume", line, &request);
    buffer_destroy(&request);
    return exit_code;
}

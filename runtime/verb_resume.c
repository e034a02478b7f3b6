/* `lagoon resume CONSUMER`: partitions that a failed record has stopped start again. */
#include "exit_code.h"
#include "json_writer.h"
#include "verb.h"
#include "verb_control.h"

static int write_request(struct json_writer *writer, const struct command_line *line)
{
    json_begin_object(writer, NULL);
    json_write_text(writer, "command", "resume");
    json_write_text(writer, "consumer", line->arguments[0]);
    if (line->topic != NULL)
        json_write_text(writer, "topic", line->topic);
    if (verb_write_number("resume", writer, "partition", line->partition, INT32_MAX) != 0 ||
        verb_write_number("resume", writer, "skip", line->skip, INT64_MAX) != 0)
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
        exit_code = verb_ask("resume", "resume", line, &request);
    buffer_destroy(&request);
    return exit_code;
}

/* `lagoon status`: what a running lagoon does just now. */
#include "json_writer.h"
#include "verb.h"
#include "verb_control.h"

int verb_status(const struct command_line *line)
{
    struct buffer request;
    struct json_writer writer;
    buffer_init(&request);
    json_writer_init(&writer, &request);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", "status");
    json_end_object(&writer);
    int exit_code = verb_ask("status", "status", line, &request);
    buffer_destroy(&request);
    return exit_code;
}

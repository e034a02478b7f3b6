/* `lagoon seek CONSUMER --to WHERE`: a running consumer goes on elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_client.h"
#include "exit_code.h"
#include "json_member.h"
#include "json_writer.h"
#include "verb.h"
#include "verb_control.h"

enum {
    POLL_MS = 50,
    GIVE_UP_MS = 120 * 1000, /* the seek goes on all the same */
};

static int write_request(struct buffer *request, const struct command_line *line)
{
    struct json_writer writer;
    json_writer_init(&writer, request);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", "seek");
    json_write_text(&writer, "consumer", line->arguments[0]);
    json_write_text(&writer, "to", line->to);
    if (line->topic != NULL)
        json_write_text(&writer, "topic", line->topic);
    if (verb_write_number("seek", &writer, "partition", line->partition, INT32_MAX) != 0)
        return -1;
    json_write_bool(&writer, "dry_run", line->is_dry);
    json_end_object(&writer);
    return 0;
}

/* How the seek of that number is by now. */
static void write_question(struct buffer *request, const struct command_line *line, int64_t number)
{
    struct json_writer writer;
    buffer_clear(request, 0);
    json_writer_init(&writer, request);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", "seek");
    json_write_text(&writer, "consumer", line->arguments[0]);
    json_write_integer(&writer, "seek", number);
    json_end_object(&writer);
}

/* The seek's number while it is pending; else 0. */
static int64_t pending_number(struct buffer *answer)
{
    static const char pending[] = "\"pending\"";
    struct json_span state, number;
    buffer_append(answer, "", 1);
    answer->length--;
    if (!json_find_member(answer->bytes, "state", &state) ||
        !json_find_member(answer->bytes, "seek", &number) || state.length != sizeof pending - 1 ||
        memcmp(state.text, pending, state.length) != 0)
        return 0;
    return strtoll(number.text, NULL, 10);
}

static int ask_until_ended(const struct command_line *line, struct buffer *request,
                           struct buffer *answer)
{
    int64_t give_up_ms = clock_monotonic_ms() + GIVE_UP_MS;
    for (;;) {
        buffer_clear(answer, 0);
        int exit_code = verb_ask_only("seek", line, request, answer);
        if (exit_code != EXIT_OK)
            return exit_code;
        int64_t number = pending_number(answer);
        if (number == 0 || clock_monotonic_ms() >= give_up_ms)
            return verb_print("seek", "seek", line, answer);
        usleep(POLL_MS * 1000);
        write_question(request, line, number);
    }
}

int verb_seek(const struct command_line *line)
{
    struct buffer request, answer;
    int exit_code = EXIT_USAGE;
    if (line->to == NULL) {
        fprintf(stderr, "lagoon seek: --to says where: beginning, end, an offset, +100, -100, a "
                        "time, or -15m\n");
        return exit_code;
    }
    buffer_init(&request);
    buffer_init(&answer);
    if (write_request(&request, line) == 0)
        exit_code = ask_until_ended(line, &request, &answer);
    buffer_destroy(&request);
    buffer_destroy(&answer);
    return exit_code;
}

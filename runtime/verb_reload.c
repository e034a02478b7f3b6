/* `lagoon reload` and `lagoon rollback`: what a running lagoon runs changes, or it says why not. */
#include "verb.h"

#include <string.h>
#include <unistd.h>

#include "control_client.h"
#include "control_request.h"
#include "error.h"
#include "exit_code.h"
#include "json_writer.h"
#include "verb_control.h"

enum {
    POLL_MS = 20,
    GIVE_UP_MS = 60 * 1000, /* the reload goes on all the same */
};

/* Of an answer. */
enum state { STATE_PENDING, STATE_REFUSED, STATE_OTHER };

/* number 0: a new one. */
static void word_request(struct buffer *request, const char *command, int64_t number)
{
    struct json_writer writer;
    buffer_clear(request, 0);
    json_writer_init(&writer, request);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", command);
    if (number > 0)
        json_write_integer(&writer, "reload", number);
    json_end_object(&writer);
}

/* The answer is as flat as a request. What is not understood is for the printer to say. */
static enum state state_of(struct buffer *answer, int64_t *number)
{
    struct control_request members;
    struct error err;
    const char *text = NULL;
    enum state state = STATE_OTHER;
    buffer_append(answer, "", 1);
    answer->length--;
    if (control_request_parse(&members, answer->bytes, &err) != 0)
        return STATE_OTHER;
    if (control_request_text(&members, "state", &text, &err) == 0 && text != NULL &&
        control_request_integer(&members, "reload", 0, number, &err) == 0) {
        if (strcmp(text, "pending") == 0)
            state = STATE_PENDING;
        else if (strcmp(text, "refused") == 0)
            state = STATE_REFUSED;
    }
    control_request_destroy(&members);
    return state;
}

static int exit_code_of(enum state state, int exit_code)
{
    if (exit_code != EXIT_OK || state == STATE_OTHER)
        return exit_code;
    return state == STATE_REFUSED ? EXIT_CONFIG : EXIT_UNFINISHED;
}

/* Asks again and again how it ended, so that nobody waits for anybody in the process that runs. */
static int ask_until_ended(const char *verb, const struct command_line *line,
                           struct buffer *request, struct buffer *answer)
{
    int64_t give_up_ms = clock_monotonic_ms() + GIVE_UP_MS;
    word_request(request, verb, 0);
    for (;;) {
        int64_t number = 0;
        buffer_clear(answer, 0);
        int exit_code = verb_ask_only(verb, line, request, answer);
        if (exit_code != 0)
            return exit_code;
        enum state state = state_of(answer, &number);
        if (state != STATE_PENDING || clock_monotonic_ms() >= give_up_ms)
            return exit_code_of(state, verb_print(verb, "reload", line, answer));
        usleep(POLL_MS * 1000);
        word_request(request, "reload", number);
    }
}

static int run(const char *verb, const struct command_line *line)
{
    struct buffer request;
    struct buffer answer;
    buffer_init(&request);
    buffer_init(&answer);
    int exit_code = ask_until_ended(verb, line, &request, &answer);
    buffer_destroy(&request);
    buffer_destroy(&answer);
    return exit_code;
}

int verb_reload(const struct command_line *line)
{
    return run("reload", line);
}

int verb_rollback(const struct command_line *line)
{
    return run("rollback", line);
}

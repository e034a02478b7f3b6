/* `lagoon top`: a running lagoon, looked at again and again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "control_client.h"
#include "control_top.h"
#include "errand.h"
#include "exit_code.h"
#include "json_writer.h"
#include "terminal.h"
#include "verb.h"
#include "verb_control.h"

enum { EVERY_MS = 1000, LEAST_EVERY_MS = 100, SILENT_MS = 2000, TYPED_BYTES = 256 };

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

struct top {
    const struct command_line *line;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_poll_t keys;
    uv_signal_t signals[ARRAY_LENGTH(SIGNALS)];
    struct terminal terminal;
    struct control_top *view;
    struct control_top_who who; /* that is looked at */
    struct errand *errand;      /* while it is asked */
    enum control_top_wish wish; /* what is asked next, of this consumer */
    struct buffer wished;
    int64_t answered_ms;
    int exit_code;
    char *last_words; /* when the screen is given back; NULL: none */
};

/* One question. Its thread may wait for an answer while top goes on, or has ended. */
struct asking {
    const char *config;
    char instance[CONTROL_INSTANCE_BYTES];
    const char *command;
    struct buffer request;
    struct buffer answer;
    enum control_result result;
    struct error err;
};

static void ask_next(struct top *top);

/* --- the end --- */

static void end(struct top *top, int exit_code, char *last_words)
{
    free(top->last_words);
    top->last_words = last_words;
    top->exit_code = exit_code;
    uv_stop(&top->loop);
}

static void draw(struct top *top)
{
    struct buffer frame;
    int width, height;
    buffer_init(&frame);
    terminal_size(&width, &height);
    control_top_draw(top->view, width, height, &frame);
    if (terminal_write(&top->terminal, &frame) != 0)
        end(top, EXIT_INTERNAL, NULL);
    buffer_destroy(&frame);
}

/* --- questions --- */

static void write_request(struct buffer *request, const char *command, const char *consumer)
{
    struct json_writer writer;
    json_writer_init(&writer, request);
    json_begin_object(&writer, NULL);
    json_write_text(&writer, "command", command);
    if (consumer != NULL)
        json_write_text(&writer, "consumer", consumer);
    json_end_object(&writer);
}

static void ask(void *data)
{
    struct asking *asking = data;
    asking->result = control_ask(asking->config, asking->instance, &asking->request,
                                 &asking->answer, &asking->err);
}

static void drop(void *data)
{
    struct asking *asking = data;
    buffer_destroy(&asking->request);
    buffer_destroy(&asking->answer);
    free(asking);
}

/* Another process may have taken the name of the one that is looked at. */
static void take_status(struct top *top, const struct asking *asking)
{
    struct control_top_who who;
    struct error err;
    top->answered_ms = clock_monotonic_ms();
    if (control_top_look(top->view, &asking->answer, &who, &err) != 0)
        end(top, EXIT_INTERNAL, xstrdup(err.text));
    else if (who.process != top->who.process)
        end(top, EXIT_UNREACHABLE,
            xasprintf("process %d has ended; process %d runs in its place", (int)top->who.process,
                      (int)who.process));
}

static void take_answer(struct top *top, const struct asking *asking)
{
    bool is_status = strcmp(asking->command, "status") == 0;
    if (asking->result == CONTROL_ANSWERED && is_status)
        take_status(top, asking);
    else if (asking->result == CONTROL_ANSWERED)
        control_top_tell(top->view, asking->command, &asking->answer);
    else if (asking->result != CONTROL_SILENT)
        end(top, EXIT_UNREACHABLE,
            xasprintf("process %d has ended: %s", (int)top->who.process, asking->err.text));
    else if (!is_status)
        control_top_say(top->view, asking->err.text);
}

static void on_answered(void *context, void *data, const struct error *err)
{
    (void)err; /* there is no limit that it could name */
    struct top *top = context;
    struct asking *asking = data;
    top->errand = NULL;
    take_answer(top, asking);
    draw(top);
    if (top->wish != TOP_NOTHING || strcmp(asking->command, "status") != 0)
        ask_next(top);
    drop(asking);
}

static void ask_next(struct top *top)
{
    static const char *const commands[] = {
        [TOP_NOTHING] = "status", [TOP_PAUSE] = "pause", [TOP_RESUME] = "resume"};
    if (top->errand != NULL)
        return;
    struct asking *asking = xcalloc(1, sizeof *asking);
    asking->config = top->line->config;
    asking->command = commands[top->wish];
    memcpy(asking->instance, top->who.instance, sizeof asking->instance);
    buffer_init(&asking->request);
    buffer_init(&asking->answer);
    write_request(&asking->request, asking->command,
                  top->wish != TOP_NOTHING ? top->wished.bytes : NULL);
    top->wish = TOP_NOTHING;
    const struct errand_options options = {
        .loop = &top->loop,
        .name = "ask",
        .data = asking,
        .work = ask,
        .drop = drop,
        .context = top,
        .on_end = on_answered,
    };
    top->errand = errand_start(&options);
}

/* --- what happens --- */

static void on_timer(uv_timer_t *timer)
{
    struct top *top = timer->data;
    int64_t silent_ms = clock_monotonic_ms() - top->answered_ms;
    if (silent_ms > SILENT_MS + top->line->every_ms) {
        control_top_miss(top->view, silent_ms);
        draw(top);
    }
    ask_next(top);
}

static void on_keys(uv_poll_t *keys, int status, int events)
{
    (void)events;
    struct top *top = keys->data;
    char typed[TYPED_BYTES];
    ssize_t count = status == 0 ? read(STDIN_FILENO, typed, sizeof typed) : 0;
    if (count <= 0) {
        end(top, EXIT_OK, NULL); /* nobody is there any more */
        return;
    }
    struct buffer consumer;
    buffer_init(&consumer);
    enum control_top_wish wish = control_top_type(top->view, typed, (size_t)count, &consumer);
    if (wish == TOP_QUIT)
        end(top, EXIT_OK, NULL);
    draw(top);
    if (wish == TOP_PAUSE || wish == TOP_RESUME) {
        top->wish = wish;
        buffer_clear(&top->wished, 0);
        buffer_append(&top->wished, consumer.bytes, consumer.length);
        buffer_append(&top->wished, "", 1);
        ask_next(top);
    }
    buffer_destroy(&consumer);
}

/* As if the signal had not been caught. Where nobody could let it go on, the system ignores it. */
static void stop_and_go_on(struct top *top, uv_signal_t *signal)
{
    void (*const handler)(uv_signal_t *, int) = signal->signal_cb;
    terminal_leave(&top->terminal);
    uv_signal_stop(signal);
    raise(SIGTSTP);
    uv_signal_start(signal, handler, SIGTSTP);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct top *top = signal->data;
    if (number == SIGTSTP)
        stop_and_go_on(top, signal);
    if (number == SIGTSTP || number == SIGCONT)
        terminal_enter(&top->terminal);
    if (number != SIGTSTP && number != SIGCONT && number != SIGWINCH)
        end(top, EXIT_OK, NULL);
    else
        draw(top);
}

/* --- running --- */

static void on_closed_all(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void open_handles(struct top *top)
{
    uv_loop_init(&top->loop);
    uv_timer_init(&top->loop, &top->timer);
    top->timer.data = top;
    uv_poll_init(&top->loop, &top->keys, STDIN_FILENO);
    top->keys.data = top;
    for (size_t i = 0; i < ARRAY_LENGTH(SIGNALS); i++) {
        uv_signal_init(&top->loop, &top->signals[i]);
        top->signals[i].data = top;
        uv_signal_start(&top->signals[i], on_signal, SIGNALS[i]);
    }
}

static void run(struct top *top)
{
    struct error err;
    if (terminal_open(&top->terminal, &err) != 0) {
        fprintf(stderr, "lagoon top: %s\n", err.text);
        top->exit_code = EXIT_INTERNAL;
        return;
    }
    open_handles(top);
    draw(top);
    uv_timer_start(&top->timer, on_timer, (uint64_t)top->line->every_ms,
                   (uint64_t)top->line->every_ms);
    uv_poll_start(&top->keys, UV_READABLE, on_keys);
    uv_run(&top->loop, UV_RUN_DEFAULT);
    errand_give_up(&top->errand);
    terminal_close(&top->terminal);
    uv_walk(&top->loop, on_closed_all, NULL);
    uv_run(&top->loop, UV_RUN_DEFAULT);
    uv_loop_close(&top->loop);
    if (top->last_words != NULL)
        fprintf(stderr, "lagoon top: %s\n", top->last_words);
}

/* The first look, before the screen is taken: whoever cannot be asked is named as by other verbs.
 */
static int look_first(struct top *top)
{
    struct buffer request, answer;
    struct error err;
    buffer_init(&request);
    buffer_init(&answer);
    write_request(&request, "status", NULL);
    int exit_code = verb_ask_only("top", top->line, &request, &answer);
    if (exit_code == EXIT_OK && control_top_look(top->view, &answer, &top->who, &err) != 0) {
        fprintf(stderr, "lagoon top: %s\n", err.text);
        exit_code = EXIT_INTERNAL;
    }
    top->answered_ms = clock_monotonic_ms();
    buffer_destroy(&request);
    buffer_destroy(&answer);
    return exit_code;
}

static int check(struct command_line *line)
{
    if (!terminal_is_there()) {
        fprintf(stderr, "lagoon top: it takes a terminal to show this on; lagoon status says it "
                        "once, lagoon status --json for programs\n");
        return EXIT_USAGE;
    }
    line->every_ms = line->every_ms == 0 ? EVERY_MS : line->every_ms;
    if (line->every_ms >= LEAST_EVERY_MS)
        return EXIT_OK;
    fprintf(stderr, "lagoon top: --every is %d ms or more\n", LEAST_EVERY_MS);
    return EXIT_USAGE;
}

int verb_top(const struct command_line *given)
{
    const char *no_color = getenv("NO_COLOR");
    struct command_line line = *given;
    int exit_code = check(&line);
    if (exit_code != EXIT_OK)
        return exit_code;
    struct top top = {.line = &line};
    buffer_init(&top.wished);
    top.view = control_top_new(no_color == NULL || no_color[0] == '\0');
    top.exit_code = look_first(&top);
    if (top.exit_code == EXIT_OK)
        run(&top);
    control_top_free(&top.view);
    buffer_destroy(&top.wished);
    free(top.last_words);
    return top.exit_code;
}

#include "plays.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "requests.h"

enum {
    FUZZ_WIRES = 32,
    FUZZ_PIPELINED = 8,
    FUZZ_LIMIT_MS = 100,
    SLOW_WIRES = 500,
    SLOW_BYTE_MS = 1000,
    ASK_WIRES = 8,
    PUBLISH_WIRES = 50,
    ASK_LIMIT_MS = 40 * 1000,
    AGAIN_MS = 200,
};

struct state {
    const struct play_options *options;
    struct dice dice;
    int64_t began_ms;
    uint64_t asked;
    uint64_t answered;
    uint64_t silent; /* connections on which nothing came any more */
    uint64_t again;  /* asked once more, after 503 */
    float *took_ms;  /* of each answer, where they are counted */
    uint64_t sequence[PUBLISH_WIRES];
    struct crowd_result result;
};

/* As many as are due by now. */
static bool is_due(const struct state *state, int64_t now_ms)
{
    double rate = state->options->rate;
    return state->asked < state->options->count &&
           (rate <= 0 || (double)(now_ms - state->began_ms) / 1000 * rate > (double)state->asked);
}

static bool is_over(void *context, int64_t now_ms)
{
    (void)now_ms;
    struct state *state = context;
    return state->asked >= state->options->count;
}

/* --- fuzz: requests that make no sense --- */

/* All of a connection's have the token or none has: what is left of one may become part of the
 * next. */
static bool begin_fuzz(void *context, struct wire *wire, int64_t now_ms)
{
    struct state *state = context;
    if (!is_due(state, now_ms))
        return false;
    const char *token = dice_once_in(&state->dice, 2) ? state->options->token : NULL;
    wire->asked = 1;
    if (dice_once_in(&state->dice, 8))
        wire->asked += dice_below(&state->dice, FUZZ_PIPELINED);
    state->asked += wire->asked;
    for (uint64_t i = 0; i < wire->asked; i++)
        requests_make(&state->dice, token, &wire->out);
    return true;
}

static enum verdict look_fuzz(void *context, struct wire *wire, int64_t now_ms)
{
    struct state *state = context;
    if (wire->is_closed)
        return WIRE_ENDS;
    if (wire->sent == wire->out.length && !wire->is_half_closed) {
        wire->is_half_closed = true;
        if (dice_once_in(&state->dice, 8))
            return WIRE_BREAKS;
        shutdown(wire->file, SHUT_WR);
    }
    if (now_ms - wire->opened_ms < FUZZ_LIMIT_MS)
        return WIRE_GOES_ON;
    state->silent++;
    return WIRE_BREAKS;
}

/* --- slow: connections that keep the server waiting --- */

enum slow_kind {
    SLOW_HEADERS,
    SLOW_LINE,
    SLOW_BODY,
    SLOW_CHUNKS,
    SLOW_SILENT,
    SLOW_DEAF,
    SLOW_KINDS
};

static bool begin_slow(void *context, struct wire *wire, int64_t now_ms)
{
    struct state *state = context;
    enum slow_kind kind = wire->index % SLOW_KINDS;
    wire->is_deaf = kind == SLOW_DEAF;
    state->asked++;
    if (kind == SLOW_HEADERS || kind == SLOW_DEAF)
        buffer_append_text(&wire->out, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    if (kind == SLOW_BODY || kind == SLOW_CHUNKS)
        buffer_format(&wire->out,
                      "POST /v1/consumers/orders/seek HTTP/1.1\r\nHost: localhost\r\n"
                      "Authorization: Bearer %s\r\n%s\r\n\r\n",
                      state->options->token,
                      kind == SLOW_BODY ? "Content-Length: 60000" : "Transfer-Encoding: chunked");
    if (kind == SLOW_DEAF)
        for (int i = 0; i < 200; i++)
            buffer_append_text(&wire->out, "\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    wire->next_ms = now_ms + SLOW_BYTE_MS;
    return true;
}

static enum verdict look_slow(void *context, struct wire *wire, int64_t now_ms)
{
    static const char *const pieces[SLOW_KINDS] = {"X", "G", "{", "1\r\n{\r\n", "", ""};
    struct state *state = context;
    if (now_ms - state->began_ms >= (int64_t)state->options->count * 1000)
        return WIRE_BREAKS;
    if (wire->is_closed) {
        wire->next_ms = now_ms + SLOW_BYTE_MS;
        return WIRE_ENDS;
    }
    if (now_ms >= wire->next_ms) {
        buffer_append_text(&wire->out, pieces[wire->index % SLOW_KINDS]);
        wire->next_ms = now_ms + SLOW_BYTE_MS;
    }
    return WIRE_GOES_ON;
}

static bool is_slow_over(void *context, int64_t now_ms)
{
    struct state *state = context;
    return now_ms - state->began_ms >= (int64_t)state->options->count * 1000;
}

/* --- one request after the other --- */

static void ask(struct state *state, struct wire *wire)
{
    const char *token = state->options->token;
    struct buffer *out = &wire->out;
    if (strcmp(state->options->kind, "publish") == 0) {
        uint64_t number = state->sequence[wire->index] + 1;
        char body[96];
        int length =
            snprintf(body, sizeof body, "{\"order_id\":\"http-%" PRIu64 "-%zu\",\"n\":%" PRIu64 "}",
                     state->options->seed, wire->index, number);
        buffer_format(out,
                      "POST /v1/producers/orders/OrderCreated HTTP/1.1\r\nHost: localhost\r\n"
                      "Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
                      token, length, body);
    } else {
        requests_change(&state->dice, out);
        if (strcmp(state->options->kind, "tokens") == 0) {
            buffer_append_text(out, "Host: localhost\r\n");
            requests_wrong_token(&state->dice, token, out);
        } else {
            buffer_format(out, "Authorization: Bearer %s\r\n", token);
            requests_cross_site(&state->dice, out);
        }
        buffer_append_text(out, "\r\n");
    }
    state->asked++;
    wire->asked++;
    wire->asked_ns = clock_monotonic_ns();
}

static bool begin_asking(void *context, struct wire *wire, int64_t now_ms)
{
    struct state *state = context;
    if (!is_due(state, now_ms))
        return false;
    wire->asked = 0;
    wire->is_last = false;
    ask(state, wire);
    return true;
}

static void note_answer(struct state *state, struct wire *wire, int status)
{
    if (state->took_ms != NULL && state->answered < state->options->count)
        state->took_ms[state->answered] = (float)(clock_monotonic_ns() - wire->asked_ns) / 1e6F;
    state->answered++;
    if (status == 200 && wire->index < PUBLISH_WIRES)
        state->sequence[wire->index]++;
    if (status == 503) {
        state->again++;
        wire->next_ms = clock_monotonic_ms() + AGAIN_MS;
    }
}

/* The status is counted here, and not when the connection ends. */
static enum verdict look_asking(void *context, struct wire *wire, int64_t now_ms)
{
    struct state *state = context;
    size_t at = 0;
    int status = wire->asked > 0 ? crowd_answer(wire, &at) : 0;
    if (status > 0) {
        state->result.statuses[status < MAX_STATUS ? status : 0]++;
        note_answer(state, wire, status);
        wire->is_last = crowd_is_last(wire);
        wire->asked = 0;
        buffer_clear(&wire->in, SIZE_MAX);
        buffer_clear(&wire->out, SIZE_MAX);
        wire->sent = 0;
        wire->opened_ms = now_ms;
    }
    if (wire->is_closed || wire->is_last || (wire->asked == 0 && is_over(state, now_ms)))
        return WIRE_ENDS;
    if (wire->asked == 0 && now_ms >= wire->next_ms && is_due(state, now_ms)) {
        ask(state, wire);
        wire->opened_ms = now_ms;
    }
    if (wire->asked == 0 || now_ms - wire->opened_ms < ASK_LIMIT_MS)
        return WIRE_GOES_ON;
    state->silent++;
    return WIRE_BREAKS;
}

/* --- what came of it --- */

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_times(struct state *state)
{
    uint64_t count =
        state->answered < state->options->count ? state->answered : state->options->count;
    if (state->took_ms == NULL || count == 0)
        return;
    qsort(state->took_ms, count, sizeof state->took_ms[0], compare);
    printf("\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"worst_ms\":%.2f,", (double)state->took_ms[count / 2],
           (double)state->took_ms[count * 99 / 100], (double)state->took_ms[count - 1]);
}

static void print(struct state *state)
{
    const struct crowd_result *result = &state->result;
    const char *comma = "";
    printf("{\"asked\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"silent\":%" PRIu64
           ",\"again\":%" PRIu64 ",\"connections\":%" PRIu64 ",\"not_connected\":%" PRIu64
           ",\"seconds\":%.3f,",
           state->asked, state->answered, state->silent, state->again, result->connections,
           result->not_connected, result->seconds);
    print_times(state);
    printf("\"live\":{\"asked\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"again\":%" PRIu64
           ",\"worst_ms\":%.1f},\"statuses\":{",
           result->live_asked, result->live_failed, result->live_again, result->live_worst_ms);
    for (int i = 0; i < MAX_STATUS; i++) {
        if (result->statuses[i] == 0)
            continue;
        printf("%s\"%d\":%" PRIu64, comma, i, result->statuses[i]);
        comma = ",";
    }
    printf("}}\n");
}

static const struct {
    const char *kind;
    struct crowd_play play;
} plays[] = {
    {"fuzz", {FUZZ_WIRES, begin_fuzz, look_fuzz, is_over, NULL}},
    {"slow", {SLOW_WIRES, begin_slow, look_slow, is_slow_over, NULL}},
    {"tokens", {ASK_WIRES, begin_asking, look_asking, is_over, NULL}},
    {"sites", {ASK_WIRES, begin_asking, look_asking, is_over, NULL}},
    {"publish", {PUBLISH_WIRES, begin_asking, look_asking, is_over, NULL}},
};

bool play(const struct play_options *options)
{
    struct state state = {.options = options, .dice = {options->seed}};
    size_t index = 0;
    while (index < ARRAY_LENGTH(plays) && strcmp(plays[index].kind, options->kind) != 0)
        index++;
    if (index == ARRAY_LENGTH(plays))
        return false;
    struct crowd_play chosen = plays[index].play;
    chosen.context = &state;
    state.began_ms = clock_monotonic_ms();
    if (chosen.begin == begin_asking)
        state.took_ms = xcalloc(options->count + 1, sizeof state.took_ms[0]);
    bool is_good = crowd_run(&chosen, options->port, options->seed, &state.result);
    print(&state);
    free(state.took_ms);
    return is_good;
}

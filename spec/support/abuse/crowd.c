#include "crowd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_EVENTS = 256,
    TICK_MS = 5,
    READ_BYTES = 16 * 1024,
    KEEP_BYTES = 64 * 1024,
    MAX_IN_BYTES = 4 * 1024 * 1024,
    SMALL_WINDOW_BYTES = 2 * 1024,
    LIVE_EVERY_MS = 100,
    LIVE_LIMIT_MS = 10 * 1000,
};

static const char LIVE[] = "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct crowd {
    const struct crowd_play *play;
    struct crowd_result *result;
    struct dice dice;
    int port;
    int poll;
    struct wire *wires;
    struct wire live;
    bool has_closed; /* one of them in this turn, to be opened anew in the next */
    int64_t live_due_ms;
    int64_t live_began_ns;
};

/* --- dice --- */

/* Steele's splitmix. */
uint32_t dice_throw(struct dice *dice)
{
    uint64_t x = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(x >> 32);
}

uint32_t dice_below(struct dice *dice, uint32_t count)
{
    return dice_throw(dice) % count;
}

bool dice_once_in(struct dice *dice, uint32_t count)
{
    return dice_below(dice, count) == 0;
}

/* --- one connection --- */

static struct sockaddr_in address_of(uint32_t host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(host);
    return address;
}

static void watch(const struct crowd *crowd, struct wire *wire, int operation)
{
    uint32_t events = 0;
    if (wire->sent < wire->out.length)
        events |= EPOLLOUT;
    if (!wire->is_deaf)
        events |= EPOLLIN;
    struct epoll_event event = {.events = events, .data.ptr = wire};
    epoll_ctl(crowd->poll, operation, wire->file, &event);
}

static void wire_open(struct crowd *crowd, struct wire *wire, int64_t now_ms)
{
    const int on = 1, small = SMALL_WINDOW_BYTES;
    struct sockaddr_in from =
        address_of(INADDR_LOOPBACK + 1 + dice_below(&crowd->dice, 1 << 20), 0);
    struct sockaddr_in to = address_of(INADDR_LOOPBACK, crowd->port);
    wire->file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(wire->file, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(wire->file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (wire->is_deaf)
        setsockopt(wire->file, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    wire->opened_ms = now_ms;
    wire->is_closed = false;
    wire->is_half_closed = false;
    if (bind(wire->file, (struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(wire->file, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)) {
        crowd->result->not_connected++;
        wire->is_closed = true;
    }
    crowd->result->connections++;
    watch(crowd, wire, EPOLL_CTL_ADD);
}

/* Those of an answer whose body is another line of HTTP do not occur. */
static void count_answers(struct crowd *crowd, const struct wire *wire)
{
    static const char mark[] = "HTTP/1.1 ";
    const char *at = wire->in.bytes;
    const char *end = at + wire->in.length;
    while (at != NULL && end - at > (ptrdiff_t)sizeof mark + 2) {
        at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1);
        if (at == NULL || end - at < (ptrdiff_t)sizeof mark + 2)
            return;
        at += sizeof mark - 1;
        int status = atoi(at);
        if (status > 0 && status < MAX_STATUS)
            crowd->result->statuses[status]++;
    }
}

static void wire_close(struct crowd *crowd, struct wire *wire, enum verdict verdict)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (verdict == WIRE_BREAKS)
        setsockopt(wire->file, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(wire->file);
    wire->file = -1;
    if (wire != &crowd->live)
        count_answers(crowd, wire);
    wire->sent = 0;
    buffer_clear(&wire->out, KEEP_BYTES);
    buffer_clear(&wire->in, KEEP_BYTES);
}

static void wire_write(struct crowd *crowd, struct wire *wire)
{
    while (wire->sent < wire->out.length && !wire->is_closed) {
        ssize_t count = send(wire->file, wire->out.bytes + wire->sent,
                             wire->out.length - wire->sent, MSG_NOSIGNAL);
        if (count < 0 && (errno == EAGAIN || errno == ENOTCONN))
            break;
        if (count < 0)
            wire->is_closed = wire->in.length == 0;
        wire->sent = count < 0 ? wire->out.length : wire->sent + (size_t)count;
    }
    watch(crowd, wire, EPOLL_CTL_MOD);
}

static void wire_read(struct wire *wire)
{
    char *place = buffer_reserve(&wire->in, READ_BYTES);
    ssize_t count = recv(wire->file, place, READ_BYTES, 0);
    if (count > 0)
        wire->in.length += (size_t)count;
    if (count == 0 || (count < 0 && errno != EAGAIN) || wire->in.length > MAX_IN_BYTES)
        wire->is_closed = true;
}

static void on_event(struct crowd *crowd, struct wire *wire, uint32_t events)
{
    if (events & EPOLLIN)
        wire_read(wire);
    else if (events & (EPOLLERR | EPOLLHUP))
        wire->is_closed = true;
    if (events & EPOLLOUT)
        wire_write(crowd, wire);
}

/* --- whether it lives --- */

static void ask_live(struct crowd *crowd, int64_t now_ms)
{
    buffer_append_text(&crowd->live.out, LIVE);
    wire_open(crowd, &crowd->live, now_ms);
    wire_write(crowd, &crowd->live);
}

static void begin_live(struct crowd *crowd, int64_t now_ms)
{
    crowd->live_began_ns = clock_monotonic_ns();
    crowd->live_due_ms = now_ms + LIVE_EVERY_MS;
    ask_live(crowd, now_ms);
}

static void end_live(struct crowd *crowd, int status, double took_ms)
{
    struct crowd_result *result = crowd->result;
    wire_close(crowd, &crowd->live, WIRE_ENDS);
    result->live_asked++;
    result->live_failed += status != 200;
    if (took_ms > result->live_worst_ms)
        result->live_worst_ms = took_ms;
}

/* Who asks on a connection that is closed without a word asks once more, as clients do. */
static void look_live(struct crowd *crowd, int64_t now_ms)
{
    struct wire *wire = &crowd->live;
    if (wire->file < 0 && now_ms >= crowd->live_due_ms)
        begin_live(crowd, now_ms);
    if (wire->file < 0)
        return;
    double took_ms = (double)(clock_monotonic_ns() - crowd->live_began_ns) / 1e6;
    size_t at = 0;
    int status = crowd_answer(wire, &at);
    if (status != 0 || took_ms >= LIVE_LIMIT_MS) {
        end_live(crowd, status, took_ms);
    } else if (wire->is_closed) {
        wire_close(crowd, wire, WIRE_ENDS);
        crowd->result->live_again++;
        ask_live(crowd, now_ms);
    }
}

/* --- all --- */

static bool serve(struct crowd *crowd, struct wire *wire, bool is_over, int64_t now_ms)
{
    const struct crowd_play *play = crowd->play;
    if (wire->file < 0 && !is_over && now_ms >= wire->next_ms &&
        play->begin(play->context, wire, now_ms))
        wire_open(crowd, wire, now_ms);
    if (wire->file < 0)
        return false;
    bool was_sent = wire->sent == wire->out.length;
    enum verdict verdict = play->look(play->context, wire, now_ms);
    if (verdict == WIRE_GOES_ON && was_sent && wire->sent < wire->out.length)
        wire_write(crowd, wire);
    if (verdict != WIRE_GOES_ON)
        wire_close(crowd, wire, verdict);
    crowd->has_closed |= verdict != WIRE_GOES_ON;
    return wire->file >= 0;
}

static void turn(struct crowd *crowd)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(crowd->poll, events, MAX_EVENTS, crowd->has_closed ? 0 : TICK_MS);
    crowd->has_closed = false;
    for (int i = 0; i < count; i++)
        on_event(crowd, events[i].data.ptr, events[i].events);
}

static void run(struct crowd *crowd)
{
    bool is_over = false, is_open = true;
    while (!is_over || is_open) {
        int64_t now_ms = clock_monotonic_ms();
        is_over = is_over || crowd->play->is_over(crowd->play->context, now_ms);
        is_open = false;
        for (size_t i = 0; i < crowd->play->count; i++)
            is_open = serve(crowd, &crowd->wires[i], is_over, now_ms) || is_open;
        look_live(crowd, now_ms);
        turn(crowd);
    }
}

static void let_open(size_t count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < count && limit.rlim_max >= count) {
        limit.rlim_cur = count;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool crowd_run(const struct crowd_play *play, int port, uint64_t seed, struct crowd_result *result)
{
    struct crowd crowd = {.play = play, .result = result, .dice = {seed}, .port = port};
    *result = (struct crowd_result){0};
    let_open(play->count + 64);
    crowd.poll = epoll_create1(EPOLL_CLOEXEC);
    crowd.live = (struct wire){.file = -1};
    crowd.wires = xcalloc(play->count, sizeof crowd.wires[0]);
    for (size_t i = 0; i < play->count; i++)
        crowd.wires[i] = (struct wire){.index = i, .file = -1};
    int64_t began_ns = clock_monotonic_ns();
    run(&crowd);
    result->seconds = (double)(clock_monotonic_ns() - began_ns) / 1e9;
    for (size_t i = 0; i < play->count; i++) {
        buffer_destroy(&crowd.wires[i].out);
        buffer_destroy(&crowd.wires[i].in);
    }
    if (crowd.live.file >= 0)
        close(crowd.live.file);
    buffer_destroy(&crowd.live.out);
    buffer_destroy(&crowd.live.in);
    free(crowd.wires);
    close(crowd.poll);
    return result->live_asked > result->live_failed;
}

int crowd_answer(const struct wire *wire, size_t *at)
{
    static const char length_name[] = "\r\nContent-Length: ";
    const char *start = wire->in.bytes + *at;
    size_t left = wire->in.length - *at;
    const char *head = left > 0 ? memmem(start, left, "\r\n\r\n", 4) : NULL;
    if (head == NULL)
        return 0;
    const char *length = memmem(start, (size_t)(head - start), length_name, sizeof length_name - 1);
    size_t body = length != NULL ? strtoull(length + sizeof length_name - 1, NULL, 10) : 0;
    size_t whole = (size_t)(head - start) + 4 + body;
    if (left < whole)
        return 0;
    *at += whole;
    return atoi(start + strlen("HTTP/1.1 "));
}

bool crowd_is_last(const struct wire *wire)
{
    static const char mark[] = "\r\nConnection: close\r\n";
    const char *head = memmem(wire->in.bytes, wire->in.length, "\r\n\r\n", 4);
    size_t length = (size_t)(head - wire->in.bytes) + 2;
    return memmem(wire->in.bytes, length, mark, sizeof mark - 1) != NULL;
}

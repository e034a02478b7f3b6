#include "requests.h"

#include <stdio.h>
#include <string.h>

/* What each is made of: a word of a list, most often. */
struct words {
    const char *const *items;
    size_t count;
};

#define WORDS(name, ...)                                                                           \
    static const char *const name##_items[] = {__VA_ARGS__};                                       \
    static const struct words name = {name##_items, ARRAY_LENGTH(name##_items)}

WORDS(methods, "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH",
      "get", "PoSt", "", " ", "GET GET", "\x80\xff", "BREW", "PRI", "G\tET", "POST\r");

/* None of them changes anything, whoever asks for it, but with what is never in a body here. */
WORDS(harmless, "/live", "/ready", "/metrics", "/v1/status", "/v1/log-level",
      "/v1/consumers/orders/seek", "/v1/consumers/orders/workers", "/v1/consumers/nobody/pause",
      "/v1/producers/nobody/OrderCreated", "/v1/producers/strict/OrderCreated", "/v1/nothing",
      "/v1", "/", "*", "/v1/consumers//seek", "/v1/consumers/%00/seek", "/v1/producers//",
      "/v1/producers/%2e%2e/%2e%2e", "/v1/../v1/status", "//v1/status", "/V1/status", "/v1/status/",
      "/%76%31/status", "/v1%2fstatus", "/live%00", "/live?", "/metrics#x",
      "/v1/status?a=1&a=2&&=&", "http://localhost/v1/status", "http://evil.example/live",
      "https://[::1/", "", "/v1/producers/strict/\xc3\x28?key=%zz&header=&header==&header=a=%00",
      "?", "%", "/%", "/%4", "/../../etc/passwd",
      "/v1/producers/strict/A?header=a=b&header=a=b&key=&key=k&other=1", "\\v1\\status",
      "/v1/status HTTP/1.1\r\nX: y");

WORDS(dangerous, "/v1/reload", "/v1/rollback", "/v1/consumers/orders/pause",
      "/v1/consumers/orders/resume", "/v1/consumers/orders/seek", "/v1/consumers/orders/workers",
      "/v1/log-level", "/v1/producers/orders/OrderCreated", "/v1/status");

WORDS(versions, "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0",
      "HTTP/1.10", "HTTP/", "http/1.1", "", "HTTP/1.1 ", "ICY/1.1", "HTTP/99999999999.1",
      "HTTP/1.1\0x");

WORDS(line_ends, "\n", "\r", "\n\r", "", "\r\r\n");

WORDS(headers, "Host: localhost", "Host: evil.example", "Host: 127.0.0.1:1", "Host: [::1]",
      "Host:", "Host: localhost\r\nHost: evil.example", "Origin: http://evil.example",
      "Origin: null", "Sec-Fetch-Site: cross-site", "Content-Length: -1", "Content-Length: +5",
      "Content-Length: 0x10", "Content-Length: 18446744073709551617",
      "Content-Length: 9223372036854775807", "Content-Length: 1\r\nContent-Length: 2",
      "Content-Length: 3, 3", "Content-Length:", "Content-Length: 5 5", "Content-Length: 104857600",
      "Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3",
      "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip",
      "Transfer-Encoding : chunked", "transfer-encoding:\tchunked", "Expect: 100-continue",
      "Expect: 200-ok", "Connection: close", "Connection: keep-alive",
      "Connection: upgrade\r\nUpgrade: websocket", "Connection: close, keep-alive, x",
      "Upgrade: h2c", "No colon", ": no name", " folded", "\tfolded: too", "X-\x01: \x02",
      "X: \xff\xfe", "Cookie: a=b; c=\"", "Cookie: ====;;;,",
      "Content-Type: multipart/form-data; boundary=", "Content-Encoding: gzip",
      "Range: bytes=0-,-1", "If-None-Match: *", "Authorization",
      "Authorization:", "Authorization: Digest username=\"",
      "Authorization: Basic Og==", "TE: trailers", "Trailer: Authorization",
      "X-Forwarded-For: 127.0.0.1", "X-HTTP-Method-Override: POST");

/* No whole number that is positive, no name of a level, no place to seek to. */
WORDS(tokens_of_json, "{", "}", "[", "]", ":", ",", "\"level\"", "\"loud\"", "\"to\"", "\"never\"",
      "\"workers\"", "\"partition\"", "\"topic\"", "\"dry_run\"", "\"consumer\"", "\"command\"",
      "\"id\"", "null", "-.5e1", "1e999", "99999999999999999999", "\"\\u0000\"", "\"\\ud800\"",
      "\"\\ud83d\\ude00\"", "\"\\x\"", "\"", "\\", "\xff", "\x01", "\"\xc3\"", "tru", "NaN", "/**/",
      "\"a\":{\"b\":[{}]}", " ", "\n", "'x'");

WORDS(bodies, "{\"level\":\"loud\"}", "{\"to\":\"never\"}", "{\"workers\":\"x\"}",
      "{\"when\":-.5e1}", "{\"to\":\"2026-13-99T99:99:99Z\",\"partition\":\"x\"}",
      "{\"for_ms\":null}", "{\"id\":{}}", "{\"id\":\"\\ud800\"}", "{", "[]",
      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "{\"to\":\"never\"",
      "{\"level\":\"loud\",\"level\":\"loud\"}", "\xef\xbb\xbf{\"level\":\"loud\"}", "\"x\"");

WORDS(chunk_sizes, "-1", "0x5", "ffffffffffffffff", "fffffffffffffffffffff", "g", "", "5;x=\"y",
      "00000000000000000000000000000005", " 5", "5 ", "80000000");

static void add_word(struct dice *dice, const struct words *words, struct buffer *out)
{
    buffer_append_text(out, words->items[dice_below(dice, (uint32_t)words->count)]);
}

static void add_line_end(struct dice *dice, struct buffer *out)
{
    if (dice_once_in(dice, 12))
        add_word(dice, &line_ends, out);
    else
        buffer_append_text(out, "\r\n");
}

static void add_noise(struct dice *dice, size_t count, struct buffer *out)
{
    char *place = buffer_reserve(out, count);
    for (size_t i = 0; i < count; i++)
        place[i] = (char)dice_throw(dice);
    out->length += count;
}

static void add_letters(struct dice *dice, size_t count, struct buffer *out)
{
    memset(buffer_reserve(out, count), (int)('a' + dice_below(dice, 26)), count);
    out->length += count;
}

/* Short as a rule, and now and then above every limit. */
static size_t some_length(struct dice *dice)
{
    if (dice_once_in(dice, 50))
        return dice_below(dice, 40 * 1024);
    return dice_below(dice, dice_once_in(dice, 5) ? 2000 : 30);
}

/* --- bodies --- */

static void add_json(struct dice *dice, struct buffer *out)
{
    uint32_t count = dice_below(dice, 20);
    buffer_append_text(out, dice_once_in(dice, 3) ? "[" : "{");
    for (uint32_t i = 0; i < count; i++)
        add_word(dice, &tokens_of_json, out);
}

static void make_body(struct dice *dice, struct buffer *body)
{
    switch (dice_below(dice, 8)) {
    case 0:
        break;
    case 1:
        buffer_append_text(body, "{");
        add_noise(dice, some_length(dice), body);
        break;
    case 2:
        buffer_append_text(body, "[");
        add_letters(dice, some_length(dice), body);
        break;
    case 3:
        buffer_append(body, "{\0}", 3);
        break;
    case 4:
    case 5:
        add_word(dice, &bodies, body);
        break;
    default:
        add_json(dice, body);
    }
}

static void add_chunks(struct dice *dice, const struct buffer *body, struct buffer *out)
{
    for (size_t at = 0; at < body->length;) {
        size_t count = 1 + dice_below(dice, (uint32_t)(body->length - at));
        if (dice_once_in(dice, 8))
            add_word(dice, &chunk_sizes, out);
        else
            buffer_format(out, "%zx", count);
        add_line_end(dice, out);
        buffer_append(out, body->bytes + at, count);
        add_line_end(dice, out);
        at += count;
    }
    if (!dice_once_in(dice, 6))
        buffer_append_text(out, "0\r\n\r\n");
    else if (dice_once_in(dice, 2))
        buffer_append_text(out, "0\r\nTrailer: x\r\nContent-Length: 3\r\n\r\n");
}

/* --- headers --- */

void requests_wrong_token(struct dice *dice, const char *token, struct buffer *out)
{
    static const char *const forms[] = {"Authorization: Bearer %s!\r\n",
                                        "Authorization: Bearer x%s\r\n",
                                        "Authorization: Basic %s\r\n",
                                        "Authorization: Bearer%s\r\n",
                                        "Authorization: Bearer \"%s\"\r\n",
                                        "Authorization: Bearer %s %s\r\n",
                                        "Authorization: %s\r\n",
                                        "Proxy-Authorization: Bearer %s\r\n",
                                        "X-Authorization: Bearer %s\r\n",
                                        "Authorization: Bearer %.3s\r\n",
                                        "Authorization: Bearer Bearer %s\r\n"};
    char line[512];
    if (dice_once_in(dice, 4)) {
        buffer_format(out, "Authorization: Bearer %08x\r\n", dice_throw(dice));
        return;
    }
    snprintf(line, sizeof line, forms[dice_below(dice, ARRAY_LENGTH(forms))], token, token);
    buffer_append_text(out, line);
}

void requests_cross_site(struct dice *dice, struct buffer *out)
{
    static const char *const lines[] = {
        "Host: localhost\r\nOrigin: http://evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nOrigin: https://localhost\r\n",
        "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n",
        "Host: localhost\r\nOrigin: http://localhost@evil.example\r\n",
        "Host: localhost\r\nOrigin:\r\n",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
        "Host: localhost\r\nSec-Fetch-Site: same-site\r\n",
        "Host: evil.example\r\n",
        "Host: evil.example:9464\r\nOrigin: http://evil.example:9464\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: 2130706433.evil.example\r\nSec-Fetch-Site: same-origin\r\n",
        "Host:\r\n",
    };
    buffer_append_text(out, lines[dice_below(dice, ARRAY_LENGTH(lines))]);
}

static void add_header(struct dice *dice, struct buffer *out)
{
    if (dice_once_in(dice, 10)) {
        buffer_append_text(out, "X-");
        add_letters(dice, some_length(dice), out);
        buffer_append_text(out, ": ");
        add_letters(dice, some_length(dice), out);
    } else {
        add_word(dice, &headers, out);
    }
    add_line_end(dice, out);
}

static void add_headers(struct dice *dice, const char *token, struct buffer *out)
{
    uint32_t count = dice_once_in(dice, 60) ? dice_below(dice, 300) : dice_below(dice, 3);
    if (!dice_once_in(dice, 12))
        buffer_append_text(out, "Host: localhost\r\n");
    if (token != NULL)
        buffer_format(out, "Authorization: Bearer %s\r\n", token);
    else if (dice_once_in(dice, 2))
        requests_wrong_token(dice, "none", out);
    for (uint32_t i = 0; i < count; i++)
        add_header(dice, out);
}

/* --- the whole --- */

void requests_change(struct dice *dice, struct buffer *out)
{
    buffer_append_text(out, "POST ");
    add_word(dice, &dangerous, out);
    buffer_append_text(out, " HTTP/1.1\r\nContent-Length: 0\r\n");
}

static void add_line(struct dice *dice, const char *token, struct buffer *out)
{
    if (dice_once_in(dice, 6))
        add_word(dice, &methods, out);
    else
        buffer_append_text(out, dice_once_in(dice, 2) ? "GET" : "POST");
    buffer_append_text(out, dice_once_in(dice, 40) ? "\t" : " ");
    if (token == NULL && dice_once_in(dice, 3))
        add_word(dice, &dangerous, out);
    else
        add_word(dice, &harmless, out);
    if (dice_once_in(dice, 30))
        add_noise(dice, some_length(dice), out);
    if (dice_once_in(dice, 100))
        add_letters(dice, some_length(dice), out);
    buffer_append_text(out, " ");
    if (dice_once_in(dice, 6))
        add_word(dice, &versions, out);
    else
        buffer_append_text(out, "HTTP/1.1");
    add_line_end(dice, out);
}

/* Bytes that change, go, or come twice. */
static void garble(struct dice *dice, size_t from, struct buffer *out)
{
    for (uint32_t i = 1 + dice_below(dice, 4); i > 0 && out->length > from; i--) {
        size_t length = out->length - from;
        char *at = out->bytes + from + dice_below(dice, (uint32_t)length);
        size_t behind = (size_t)(out->bytes + out->length - at);
        switch (dice_below(dice, 3)) {
        case 0:
            *at = (char)dice_throw(dice);
            break;
        case 1:
            memmove(at, at + 1, behind - 1);
            out->length--;
            break;
        default:
            buffer_reserve(out, 1);
            at = out->bytes + out->length - behind;
            memmove(at + 1, at, behind);
            out->length++;
        }
    }
}

void requests_make(struct dice *dice, const char *token, struct buffer *out)
{
    struct buffer body;
    size_t from = out->length;
    buffer_init(&body);
    make_body(dice, &body);
    add_line(dice, token, out);
    add_headers(dice, token, out);
    if (dice_once_in(dice, 4)) {
        buffer_append_text(out, "Transfer-Encoding: chunked\r\n\r\n");
        add_chunks(dice, &body, out);
    } else {
        bool is_wrong = dice_once_in(dice, 10);
        buffer_format(out, "Content-Length: %zu\r\n\r\n",
                      body.length + (is_wrong ? dice_below(dice, 20) : 0));
        buffer_append(out, body.bytes, body.length);
    }
    buffer_destroy(&body);
    if (dice_once_in(dice, 4))
        garble(dice, from, out);
    if (dice_once_in(dice, 12))
        out->length = from + dice_below(dice, (uint32_t)(out->length - from + 1));
}

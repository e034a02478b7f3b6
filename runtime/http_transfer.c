#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

/* --- the answer comes in --- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    size_t length = size * count;
    if (length > exchange->max_body_bytes - exchange->answer.length) {
        exchange->is_body_too_long = true;
        return 0;
    }
    buffer_append(&exchange->answer, bytes, length);
    return length;
}

static size_t trimmed_length(const char *line, size_t length)
{
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    return length;
}

/* "name: value", without the spaces around the value, which may be empty. */
static void add_line(struct buffer *lines, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return;
    const char *value = colon + 1, *end = line + length;
    while (value < end && isspace((unsigned char)*value))
        value++;
    for (const char *c = line; c < colon; c++) {
        char small = (char)tolower((unsigned char)*c);
        buffer_append(lines, &small, 1);
    }
    buffer_append(lines, ":", 1);
    buffer_append(lines, value, (size_t)(end - value));
    buffer_append(lines, "\n", 1);
}

/* Every line of it, also those of an answer that only says to go on: the last one counts. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_exchange *exchange = context;
    struct buffer *lines = &exchange->header_lines;
    size_t length = trimmed_length(bytes, size * count);
    if (length > (size_t)HTTP_MAX_HEADER_BYTES - lines->length) {
        exchange->are_headers_too_long = true;
        return 0;
    }
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        lines->length = 0;
    } else if (length > 0 && isspace((unsigned char)bytes[0]) && lines->length > 0) {
        lines->length--; /* the line goes on, in an old manner */
        buffer_append(lines, bytes, length);
        buffer_append(lines, "\n", 1);
    } else {
        add_line(lines, bytes, length);
    }
    return size * count;
}

/* --- the request --- */

static void set_method(CURL *easy, const struct http_exchange *exchange)
{
    bool has_body = exchange->body != NULL || strcmp(exchange->method, "POST") == 0 ||
                    strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "PATCH") == 0;
    if (strcmp(exchange->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body != NULL ? exchange->body : "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
}

/* As OpenSSL's own programs, and most others, find certificates elsewhere than in the system's
 * place; the library leaves that to its callers. */
static void set_certificates(CURL *easy)
{
    const char *file = getenv("SSL_CERT_FILE");
    const char *folder = getenv("SSL_CERT_DIR");
    if (file != NULL && *file != '\0')
        curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (folder != NULL && *folder != '\0')
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
}

void http_transfer_open(struct http_exchange *exchange)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        abort();
    exchange->easy = easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->problem);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Who is given up while a name is looked up leaves that to its thread: the loop never waits. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "lagoon");
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    set_method(easy, exchange);
    set_certificates(easy);
}

/* --- its end --- */

static char *failure_reason(const struct http_exchange *exchange, CURLcode code)
{
    if (exchange->is_body_too_long)
        return xasprintf("%s: the answer's body is longer than %zu bytes (max_body)",
                         exchange->label, exchange->max_body_bytes);
    if (exchange->are_headers_too_long)
        return xasprintf("%s: the answer's headers are longer than %d bytes", exchange->label,
                         HTTP_MAX_HEADER_BYTES);
    const char *problem =
        exchange->problem[0] != '\0' ? exchange->problem : curl_easy_strerror(code);
    const char *advice = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE
                             ? "; SSL_CERT_FILE names a file of the authorities that are trusted"
                             : "";
    return xasprintf("%s: %s%s", exchange->label, problem, advice);
}

void http_transfer_end(struct http_exchange *exchange, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->status = (int)status;
    if (code != CURLE_OK)
        exchange->reason = failure_reason(exchange, code);
    curl_easy_cleanup(exchange->easy);
    exchange->easy = NULL;
}

static const char *timeout_place(const struct http_exchange *exchange)
{
    if (exchange->easy == NULL)
        return "it is not its turn yet, as too many requests are under way";
    curl_off_t sent_us = 0, answered_us = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    curl_easy_getinfo(exchange->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered_us);
    if (answered_us > 0)
        return "the answer has not ended";
    return sent_us > 0 ? "there is no answer" : "there is no connection";
}

char *http_transfer_timeout_reason(const struct http_exchange *exchange)
{
    return xasprintf("%s: %s after %" PRId64 " ms", exchange->label, timeout_place(exchange),
                     exchange->timeout_ms);
}

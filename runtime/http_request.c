#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "http_internal.h"

enum { MAX_METHOD_BYTES = 32, MAX_LABEL_BYTES = 256 };

/* --- what is no request --- */

static int check_method(const struct http_request *request, struct error *err)
{
    size_t length = strspn(request->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
    if (length == 0 || length > MAX_METHOD_BYTES || request->method[length] != '\0') {
        error_set(err, "method must be capital letters, such as \"POST\", got \"%.*s\"",
                  (int)strcspn(request->method, "\r\n"), request->method);
        return -1;
    }
    if (strcmp(request->method, "CONNECT") == 0) {
        error_set(err, "method CONNECT is for tunnels and cannot be sent");
        return -1;
    }
    if (strcmp(request->method, "HEAD") == 0 && request->body != NULL) {
        error_set(err, "a HEAD request has no body");
        return -1;
    }
    return 0;
}

/* A wrong URL as a message may show it. The caller frees it. */
static char *show_url(const char *text)
{
    if (strchr(text, '@') != NULL)
        return xstrdup("one that may hold a password");
    size_t length = 0;
    while (length < MAX_LABEL_BYTES && (unsigned char)text[length] >= ' ')
        length++;
    return xasprintf("\"%.*s\"", (int)length, text);
}

static void say_wrong_url(const char *text, CURLUcode code, struct error *err)
{
    char *shown = show_url(text);
    if (code == CURLUE_OK || code == CURLUE_BAD_SCHEME || code == CURLUE_UNSUPPORTED_SCHEME ||
        strstr(text, "://") == NULL)
        error_set(err, "url must begin with http:// or https://, got %s", shown);
    else
        error_set(err, "url is wrong: %s, got %s", curl_url_strerror(code), shown);
    free(shown);
}

/* NULL and err when it is none of ours. */
static CURLU *parse_url(const char *text, struct error *err)
{
    CURLU *url = curl_url();
    if (url == NULL)
        abort();
    char *scheme = NULL;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK)
        code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    bool is_ours = scheme != NULL && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    if (is_ours)
        return url;
    say_wrong_url(text, code, err);
    curl_url_cleanup(url);
    return NULL;
}

static int check_url(const struct http_request *request, struct error *err)
{
    CURLU *url = parse_url(request->url, err);
    if (url == NULL)
        return -1;
    curl_url_cleanup(url);
    return 0;
}

/* What stands in a name, by RFC 9110. */
static bool is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
            return false;
    return length > 0 && memchr(text, '\0', length) == NULL;
}

static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return true;
    return false;
}

static int check_header(const struct http_header *header, struct error *err)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Expect"};
    if (!is_token(header->name, header->name_length)) {
        error_set(err, "\"%.*s\" is no name of a header", (int)strcspn(header->name, "\r\n"),
                  header->name);
        return -1;
    }
    if (has_control(header->value, header->value_length)) {
        error_set(err, "header '%s' has a line break or another control character in its value",
                  header->name);
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(ours); i++) {
        if (strcasecmp(header->name, ours[i]) == 0) {
            error_set(err, "header '%s' follows from the body and cannot be set", header->name);
            return -1;
        }
    }
    return 0;
}

int http_check(const struct http_request *request, struct error *err)
{
    if (check_method(request, err) != 0 || check_url(request, err) != 0)
        return -1;
    for (size_t i = 0; i < request->header_count; i++)
        if (check_header(&request->headers[i], err) != 0)
            return -1;
    return 0;
}

/* --- a copy of it --- */

/* libcurl writes "name;" for an empty value, and takes "name:" as the wish to send none. */
static void add_header(struct curl_slist **list, const struct http_header *header)
{
    char *line = header->value_length == 0 ? xasprintf("%s;", header->name)
                                           : xasprintf("%s: %.*s", header->name,
                                                       (int)header->value_length, header->value);
    *list = curl_slist_append(*list, line);
    free(line);
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

static struct curl_slist *copy_headers(const struct http_request *request)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < request->header_count; i++)
        add_header(&list, &request->headers[i]);
    /* libcurl would wait for a server that does not answer 100 Continue, and call any body a form.
     */
    list = curl_slist_append(list, "Expect:");
    if (!has_header(request, "Content-Type"))
        list = curl_slist_append(list, "Content-Type:");
    return list;
}

static char *copy_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return xstrdup("?");
    char *copy = xstrdup(text);
    curl_free(text);
    return copy;
}

/* What tells one server from another, and what messages may show. */
static void name_place(struct http_exchange *exchange)
{
    struct error err;
    CURLU *url = parse_url(exchange->url, &err);
    static const CURLUPart secret[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                       CURLUPART_QUERY, CURLUPART_FRAGMENT};
    for (size_t i = 0; i < ARRAY_LENGTH(secret); i++)
        curl_url_set(url, secret[i], NULL, 0);
    char *shown = copy_part(url, CURLUPART_URL, 0);
    exchange->label = xasprintf("%s %.*s", exchange->method, MAX_LABEL_BYTES, shown);
    char *scheme = copy_part(url, CURLUPART_SCHEME, 0);
    char *host = copy_part(url, CURLUPART_HOST, 0);
    char *port = copy_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    exchange->place = xasprintf("%s %s %s", scheme, host, port);
    free(shown);
    free(scheme);
    free(host);
    free(port);
    curl_url_cleanup(url);
}

struct http_exchange *http_exchange_new(const struct http_request *request)
{
    struct http_exchange *exchange = xcalloc(1, sizeof *exchange);
    atomic_init(&exchange->references, 2);
    atomic_init(&exchange->is_over, false);
    exchange->method = xstrdup(request->method);
    exchange->url = xstrdup(request->url);
    name_place(exchange);
    exchange->headers = copy_headers(request);
    if (request->body != NULL) {
        exchange->body = xmalloc(request->body_length + 1);
        memcpy(exchange->body, request->body, request->body_length);
        exchange->body_length = request->body_length;
    }
    exchange->timeout_ms = request->timeout_ms;
    exchange->deadline_ms = clock_monotonic_ms() + request->timeout_ms;
    exchange->max_body_bytes = (size_t)request->max_body_bytes;
    list_init(&exchange->begun);
    list_init(&exchange->cancelled);
    list_init(&exchange->open);
    list_init(&exchange->turn);
    buffer_init(&exchange->header_lines);
    buffer_init(&exchange->answer);
    return exchange;
}

void http_exchange_free(struct http_exchange **owned)
{
    struct http_exchange *exchange = *owned;
    *owned = NULL;
    curl_slist_free_all(exchange->headers);
    inbox_release(&exchange->inbox);
    buffer_destroy(&exchange->header_lines);
    buffer_destroy(&exchange->answer);
    free(exchange->method);
    free(exchange->url);
    free(exchange->place);
    free(exchange->label);
    free(exchange->body);
    free(exchange->reason);
    free(exchange);
}

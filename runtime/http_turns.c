#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

/* libcurl bounds connections too, but lets the requests to all hosts wait in one row, where one to
 * a host without room holds up the others behind it. So it is given only what may run. */

void http_turns_init(struct http_turns *turns)
{
    turns->running = 0;
    list_init(&turns->hosts);
    list_init(&turns->ready);
}

static struct http_host *find_host(struct http_turns *turns, const char *place)
{
    for (struct link *link = turns->hosts.next; link != &turns->hosts; link = link->next) {
        struct http_host *host = CONTAINER_OF(link, struct http_host, link);
        if (strcmp(host->place, place) == 0)
            return host;
    }
    struct http_host *host = xcalloc(1, sizeof *host);
    host->place = xstrdup(place);
    list_init(&host->waiting);
    list_init(&host->ready);
    list_append(&turns->hosts, &host->link);
    return host;
}

/* After each change of what it has waiting and running. */
static void host_place(struct http_turns *turns, struct http_host *host)
{
    bool is_ready = !list_is_empty(&host->waiting) && host->running < HTTP_MAX_HOST_REQUESTS;
    if (!is_ready)
        list_remove(&host->ready);
    else if (list_is_empty(&host->ready))
        list_append(&turns->ready, &host->ready);
    if (host->running > 0 || !list_is_empty(&host->waiting))
        return;
    list_remove(&host->link);
    free(host->place);
    free(host);
}

void http_turns_add(struct http_turns *turns, struct http_exchange *exchange)
{
    exchange->host = find_host(turns, exchange->place);
    list_append(&exchange->host->waiting, &exchange->turn);
    host_place(turns, exchange->host);
}

struct http_exchange *http_turns_next(struct http_turns *turns)
{
    if (turns->running >= HTTP_MAX_REQUESTS || list_is_empty(&turns->ready))
        return NULL;
    struct http_host *host = CONTAINER_OF(list_pop(&turns->ready), struct http_host, ready);
    struct link *link = list_pop(&host->waiting);
    host->running++;
    turns->running++;
    host_place(turns, host);
    return CONTAINER_OF(link, struct http_exchange, turn);
}

void http_turns_remove(struct http_turns *turns, struct http_exchange *exchange)
{
    struct http_host *host = exchange->host;
    exchange->host = NULL;
    if (!list_is_empty(&exchange->turn)) {
        list_remove(&exchange->turn);
    } else {
        host->running--;
        turns->running--;
    }
    host_place(turns, host);
}

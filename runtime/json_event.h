/* json_event.h - an event as text, looked into without a Lua state of the caller's.
 *
 * Threads: any; each call makes a state of its own. */
#ifndef JSON_EVENT_H
#define JSON_EVENT_H

#include "util.h"

struct error;

enum json_event_result {
    JSON_EVENT_HAS,     /* *found is set, the caller's: a text, or an integer's digits */
    JSON_EVENT_LACKS,   /* there is nothing at the path, or null, or no path is asked for */
    JSON_EVENT_INVALID, /* it is no JSON, or something else is there; err says so */
};

/* What stands at a path such as payment.id, which may be NULL. */
enum json_event_result json_event_find(const char *text, size_t length, const char *path,
                                       struct buffer *found, struct error *err);

#endif

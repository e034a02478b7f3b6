/* json_member.h - where in a text a member's value stands, for whoever wants it as it is written.
 *
 * Threads: any. */
#ifndef JSON_MEMBER_H
#define JSON_MEMBER_H

#include "util.h"

struct json_span {
    const char *text;
    size_t length;
};

/* `text` ends with a NUL and is right, as json_decode has found; `name` needs no escapes. Of
 * members with the same name the last one counts, as it does for json_decode. False when there is
 * none, or the text is no object. */
bool json_find_member(const char *text, const char *name, struct json_span *span);

#endif

#include "json_member.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins here. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

/* Behind the value that begins here; the text is known to be right. */
static const char *skip_value(const char *at)
{
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        else if (depth == 0)
            return at + strcspn(at, ",}] \t\r\n");
        at++;
    } while (depth > 0);
    return at;
}

/* The string between `from` and `to`, its quotes included, means the name. */
static bool is_name(const char *from, const char *to, const char *name)
{
    size_t length = (size_t)(to - from) - 2;
    if (memchr(from, '\\', length + 2) == NULL)
        return length == strlen(name) && memcmp(from + 1, name, length) == 0;
    char *meant = xmalloc(length + 1);
    const char *end = text_unescape(meant, from + 1, to - 1);
    bool is_same =
        (size_t)(end - meant) == strlen(name) && memcmp(meant, name, (size_t)(end - meant)) == 0;
    free(meant);
    return is_same;
}

bool json_find_member(const char *text, const char *name, struct json_span *span)
{
    bool is_found = false;
    const char *at = skip_space(text);
    if (*at != '{')
        return false;
    at = skip_space(at + 1);
    while (*at == '"') {
        const char *key = at;
        const char *key_end = skip_string(at);
        const char *value = skip_space(skip_space(key_end) + 1);
        const char *value_end = skip_value(value);
        if (is_name(key, key_end, name)) {
            *span = (struct json_span){value, (size_t)(value_end - value)};
            is_found = true;
        }
        at = skip_space(value_end);
        if (*at == ',')
            at = skip_space(at + 1);
    }
    return is_found;
}

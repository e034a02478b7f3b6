#include "properties.h"

#include <stdlib.h>
#include <string.h>

const char *properties_get(const struct properties *properties, const char *name)
{
    for (size_t i = properties->count; i > 0; i--)
        if (strcmp(properties->items[i - 1].name, name) == 0)
            return properties->items[i - 1].value;
    return NULL;
}

bool properties_are_same(const struct properties *one, const struct properties *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (strcmp(one->items[i].name, other->items[i].name) != 0 ||
            strcmp(one->items[i].value, other->items[i].value) != 0)
            return false;
    return true;
}

struct properties properties_copy(const struct properties *properties)
{
    struct properties copy = {.count = properties->count};
    copy.items = xcalloc(copy.count + 1, sizeof copy.items[0]);
    for (size_t i = 0; i < copy.count; i++) {
        copy.items[i].name = xstrdup(properties->items[i].name);
        copy.items[i].value = xstrdup(properties->items[i].value);
    }
    return copy;
}

void properties_destroy(struct properties *properties)
{
    for (size_t i = 0; i < properties->count; i++) {
        free(properties->items[i].name);
        free(properties->items[i].value);
        free(properties->items[i].place);
    }
    free(properties->items);
}

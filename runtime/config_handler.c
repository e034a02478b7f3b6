/* Which of a consumer's handlers is for which type. */
#include <string.h>

#include "config.h"

bool config_last_name(const char **type, size_t *length)
{
    size_t end = 0;
    size_t start = 0;
    for (; end < *length && (*type)[end] != ',' && (*type)[end] != '['; end++)
        if ((*type)[end] == '.' || (*type)[end] == '+')
            start = end + 1;
    while (end > start && (*type)[end - 1] == ' ')
        end--;
    if (start == end || end - start == *length)
        return false;
    *type += start;
    *length = end - start;
    return true;
}

static const struct module_config *find(const struct consumer_config *consumer, const char *type,
                                        size_t length)
{
    for (size_t i = 0; i < consumer->handler_count; i++) {
        const struct handler_config *handler = &consumer->handlers[i];
        if (strlen(handler->type) == length && memcmp(handler->type, type, length) == 0)
            return &handler->module;
    }
    return NULL;
}

const struct module_config *config_find_handler(const struct consumer_config *consumer,
                                                const char *type, size_t length)
{
    const struct module_config *found = NULL;
    if (type != NULL)
        found = find(consumer, type, length);
    if (found == NULL && type != NULL && config_last_name(&type, &length))
        found = find(consumer, type, length);
    if (found == NULL && consumer->handler.module != NULL)
        found = &consumer->handler;
    return found;
}
